import type { AlertmanagerConfig } from '../configuration/alertmanager-config.ts'
import { createMuteFinder, mutingIntervals } from '../muting/find-mutes.ts'
import type { Notification, NotifiedAlert } from '../notifier.ts'
import type { Route } from '../routing/route.ts'
import type { AlertingEvent } from '../state/alerting-event.ts'
import type { AlertingState } from '../state/alerting-state.ts'
import { type Group, ledgerOf } from '../state/group.ts'
import type { Intent } from '../state/intent.ts'
import { alertKey, isFiring, type StoredAlert } from '../state/stored-alert.ts'
import { compareAlertLabels } from './alert-order.ts'
import { type Decision, decideNotification } from './decide-notification.ts'

/** One integration of a group's receiver. */
export interface Integration {
  /** `webhook/0`. */
  readonly key: string
  readonly sendResolved: boolean
}

/** What a look at a group works with. */
export interface LookOptions {
  readonly state: AlertingState
  readonly config: AlertmanagerConfig
  /** Null: the group's node is no longer in the configuration; endings that are owed are told, nothing else. */
  readonly route: Route | null
  readonly integrations: readonly Integration[]
  readonly nowMs: number
  /** The tick this look belongs to; at most `nowMs`. */
  readonly tickMs: number
  readonly deliverWithinMs: number
  readonly externalUrl: string
  readonly newId: () => string
  /** Whether a message is with its receiver at this moment: it must not be replaced then. */
  readonly isInFlight: (intentId: string) => boolean
}

/** What a look decided. */
export interface Look {
  /** To be applied and written, in order. */
  readonly events: readonly AlertingEvent[]
  /** By integration. */
  readonly decisions: Readonly<Record<string, Decision>>
  /** Fingerprints of firing alerts that were not told, because they are muted. */
  readonly muted: readonly string[]
  /** Nothing was decided for some integration, because a message was with its receiver: look again when it is not. */
  readonly mustLookAgain: boolean
}

/** Looks at a group and decides what each integration is to be told: group → mute → dedup → intent. Changes nothing. */
export function lookAtGroup(group: Group, options: LookOptions): Look {
  const { state, route, nowMs } = options
  const alerts = group.members.flatMap((print) => state.alerts.get(alertKey(group.tenant, print)) ?? [])
  const firing = route === null ? [] : alerts.filter((alert) => isFiring(alert, nowMs))
  const ended = alerts.filter((alert) => !isFiring(alert, nowMs))
  const isMuted = muteTest(group.tenant, options)
  const audible = firing.filter((alert) => !isMuted(alert))
  const events: AlertingEvent[] = []
  const decisions: Record<string, Decision> = {}
  let mustLookAgain = false
  for (const integration of options.integrations) {
    const ledger = ledgerOf(group, integration.key)
    if (ledger.pending !== null && options.isInFlight(ledger.pending.intentId)) {
      mustLookAgain = true
      decisions[integration.key] = { action: 'nothing', why: 'a message is being delivered' }
      continue
    }
    const decision = decideNotification(ledger, {
      firing: audible.map(print),
      resolved: ended
        .filter((alert) => isOwed(ledger, alert.fingerprint) || (route !== null && !isMuted(alert)))
        .map(print),
      tickMs: options.tickMs,
      repeatIntervalMs: route?.repeatIntervalMs ?? Number.POSITIVE_INFINITY,
      sendResolved: integration.sendResolved,
    })
    decisions[integration.key] = decision
    if (decision.action === 'send') {
      const intent = writeIntent(group, integration.key, decision, alerts, options)
      events.push({ type: 'intent', intent })
    }
    if (decision.action === 'close') {
      const { fingerprints } = decision
      events.push({ type: 'closed', groupId: group.id, integration: integration.key, fingerprints })
    }
  }
  const told = new Set(audible.map(print))
  return { events, decisions, muted: firing.map(print).filter((id) => !told.has(id)), mustLookAgain }
}

function print(alert: StoredAlert): string {
  return alert.fingerprint
}

function isOwed(
  ledger: { readonly open: readonly string[]; readonly owed: readonly string[] },
  fingerprint: string,
): boolean {
  return ledger.open.includes(fingerprint) || ledger.owed.includes(fingerprint)
}

function muteTest(tenant: string, options: LookOptions): (alert: StoredAlert) => boolean {
  const { state, config, route, nowMs } = options
  if (route !== null && mutingIntervals(config, route, nowMs).length > 0) return () => true
  const findMutes = createMuteFinder(state, config, tenant, nowMs)
  const known = new Map<StoredAlert, boolean>()
  return (alert) => {
    let isMuted = known.get(alert)
    if (isMuted === undefined) {
      const mutes = findMutes(alert)
      isMuted = mutes.inhibitedBy.length > 0 || mutes.silencedBy.length > 0
      known.set(alert, isMuted)
    }
    return isMuted
  }
}

function writeIntent(
  group: Group,
  integration: string,
  decision: Extract<Decision, { action: 'send' }>,
  alerts: readonly StoredAlert[],
  options: LookOptions,
): Intent {
  const { nowMs, tickMs } = options
  const id = options.newId()
  const included = new Set([...decision.firing, ...decision.resolved])
  const notification: Notification = {
    id,
    tenant: group.tenant,
    receiver: group.receiver,
    groupKey: group.groupKey,
    groupLabels: group.groupLabels,
    routeLabels: group.routeLabels,
    status: decision.firing.length > 0 ? 'firing' : 'resolved',
    reason: decision.reason,
    alerts: alerts
      .filter((alert) => included.has(alert.fingerprint))
      .sort((a, b) => compareAlertLabels(a.labels, b.labels))
      .map((alert) => notifiedAlert(alert, nowMs)),
    createdAtMs: nowMs,
    isLate: decision.isLate,
    externalUrl: options.externalUrl,
    evidence: null,
  }
  return {
    id,
    groupId: group.id,
    integration,
    notification,
    tickMs,
    deadlineMs: nowMs + options.deliverWithinMs,
    state: 'pending',
    reason: null,
    supersededBy: null,
    endedAtMs: null,
    nextAttemptAtMs: nowMs,
    recipients: null,
    attemptCount: 0,
    attempts: [],
    hasEvidence: false,
  }
}

function notifiedAlert(alert: StoredAlert, nowMs: number): NotifiedAlert {
  const isOn = isFiring(alert, nowMs)
  const { labels, annotations, startsAtMs, generatorUrl, fingerprint, value, rule } = alert
  return {
    status: isOn ? 'firing' : 'resolved',
    labels,
    annotations,
    startsAtMs,
    endsAtMs: isOn ? null : alert.endsAtMs,
    generatorUrl,
    fingerprint,
    value,
    rule,
  }
}
