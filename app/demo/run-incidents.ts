import { setTimeout as delay } from 'node:timers/promises'
import { INCIDENTS, type Incident } from './incident.ts'
import type { MessageBox, ReceivedMessage } from './message-box.ts'
import { HEALTHY, type PaymentsEndpoint } from './start-payments.ts'

/** How an incident went. */
export interface IncidentReport {
  readonly incident: Incident
  /** Whether the alert came by mail and by webhook. */
  readonly isTold: boolean
  /** Whether its end came by mail and by webhook. */
  readonly isResolved: boolean
}

/** What incidents are run with. Times in milliseconds. */
export interface IncidentsOptions {
  readonly payments: readonly PaymentsEndpoint[]
  readonly box: MessageBox
  /** How long an incident may last untold, and how long its end may stay untold. */
  readonly patienceMs: number
  /** How long an incident lasts after it was told, and how long the mesh is calm before each. */
  readonly calmMs: number
  /** Rejects with AbortError when aborted. */
  readonly signal: AbortSignal
  onStart(incident: Incident, number: number): void
  onOver(incident: Incident): void
}

/** Lets the incidents happen, one after the other: each lasts until it was told on both channels, and the next waits for the news of its end. */
export async function runIncidents(options: IncidentsOptions): Promise<readonly IncidentReport[]> {
  const { payments, box, patienceMs, calmMs, signal } = options
  const reports: IncidentReport[] = []
  for (const [index, incident] of INCIDENTS.entries()) {
    await delay(calmMs, undefined, { signal })
    const told = awaitMessages(box, incident.alert, 'firing', patienceMs, signal)
    options.onStart(incident, index + 1)
    incident.behaviours.forEach((behaviour, endpoint) => {
      payments[endpoint]?.behave(behaviour)
    })
    const isTold = await told
    if (isTold) await delay(calmMs, undefined, { signal })
    // Listening begins before the cause is gone, so that no news is missed; what was never told is not told to be over.
    const resolved = isTold && awaitMessages(box, incident.alert, 'resolved', patienceMs, signal)
    for (const endpoint of payments) endpoint.behave(HEALTHY)
    options.onOver(incident)
    reports.push({ incident, isTold, isResolved: await resolved })
  }
  return reports
}

/** Waits for a mail and a webhook of this status that tell the alert. False when they do not come in time. */
async function awaitMessages(
  box: MessageBox,
  alert: string,
  status: ReceivedMessage['status'],
  patienceMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const missing = new Set<ReceivedMessage['channel']>(['mail', 'webhook'])
  const complete = Promise.withResolvers<boolean>()
  const end = box.onMessage((message) => {
    if (message.status !== status || !message.alerts.includes(alert)) return
    missing.delete(message.channel)
    if (missing.size === 0) complete.resolve(true)
  })
  const timer = new AbortController()
  const patience = delay(patienceMs, false, { signal: AbortSignal.any([signal, timer.signal]) })
  try {
    return await Promise.race([complete.promise, patience])
  } finally {
    end()
    timer.abort()
    patience.catch(() => {})
  }
}
