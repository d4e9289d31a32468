import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { AlertingMetrics } from '../alerting-metrics.ts'
import type { EvidenceProvider } from '../evidence.ts'
import type { Notifier } from '../notifier.ts'
import type { AlertingEvent } from '../state/alerting-event.ts'
import type { AlertingState } from '../state/alerting-state.ts'
import type { Intent } from '../state/intent.ts'
import { attemptDelivery } from './attempt-delivery.ts'
import { createEvidenceGatherer } from './gather-evidence.ts'

/** Takes pending messages to their receivers. */
export interface Deliverer {
  isInFlight(intentId: string): boolean
  /** Starts every attempt that is due. */
  start(nowMs: number): void
  /** When an attempt is due next, epoch milliseconds; null: none is planned. */
  nextDueMs(): number | null
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
  /** Resolves when what is under way now has ended. */
  currentEnded(): Promise<void>
  /** Gives attempts under way `graceMs`, then cuts them off. What was not delivered is tried again after the next start. */
  close(graceMs: number): Promise<void>
}

/** What a deliverer works with. */
export interface DelivererOptions {
  readonly state: AlertingState
  /** Applies events; resolves when they are durable, or when that failed and was said. */
  readonly record: (events: readonly AlertingEvent[]) => Promise<void>
  /** The notifier of an intent in the configuration in force; null: it is gone. */
  readonly notifierOf: (intent: Intent) => Notifier | null
  readonly evidence: EvidenceProvider | null
  readonly onSettled: (intent: Intent) => void
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: AlertingMetrics
  readonly random: () => number
  /** Resolves when what was recorded so far is durable. */
  readonly whenDurable: () => Promise<void>
}

/** Attempts at one time, and for one receiver's integration: a receiver that hangs must not hold the others. */
const MOST_AT_ONCE = 32
const MOST_PER_INTEGRATION = 4

/** Makes a deliverer. Attempts of one message follow each other; messages do not wait for each other. */
export function createDeliverer(options: DelivererOptions): Deliverer {
  const { state, record, clock, logger, metrics } = options
  const inFlight = new Map<string, { readonly lane: string; readonly done: Promise<void> }>()
  const stop = new AbortController()
  const gather =
    options.evidence === null ? null : createEvidenceGatherer({ provider: options.evidence, state, clock })
  let isClosing = false

  function* waiting(): Generator<Intent> {
    for (const intent of state.intents.values()) {
      if (intent.state === 'pending' && !inFlight.has(intent.id)) yield intent
    }
  }

  function isLaneFull(lane: string): boolean {
    let count = 0
    for (const other of inFlight.values()) if (other.lane === lane) count += 1
    return count >= MOST_PER_INTEGRATION
  }

  async function deliver(intent: Intent): Promise<void> {
    // Nothing is sent that a crash could forget having decided.
    await options.whenDurable()
    const notifier = options.notifierOf(intent)
    if (notifier === null) {
      await record([
        {
          type: 'ended',
          intentId: intent.id,
          state: 'failed',
          reason: `the receiver has no ${intent.integration} any more`,
          atMs: clock.now(),
        },
      ])
      return
    }
    if (!intent.hasEvidence && gather !== null) {
      const evidence = await gather(intent)
      await record([{ type: 'evidence', intentId: intent.id, evidence }])
    }
    const current = state.intents.get(intent.id)
    if (current === undefined || current.state !== 'pending') return
    const events = await attemptDelivery(current, notifier, {
      clock,
      signal: stop.signal,
      random: options.random,
    })
    // An attempt that was cut off by the stop says nothing about the receiver.
    if (stop.signal.aborted && !events.some((event) => event.type === 'ended')) return
    count(current, events)
    await record(events)
  }

  function count(intent: Intent, events: readonly AlertingEvent[]): void {
    const integration = intent.integration.split('/')[0] ?? ''
    const { receiver, id } = intent.notification
    for (const event of events) {
      if (event.type === 'attempt') {
        const { outcome, latencyMs, reason, number } = event.attempt
        metrics.attempts.inc({ integration, outcome })
        metrics.latency.observe({ integration }, latencyMs / 1000)
        if (outcome === 'retry' || outcome === 'permanent') {
          logger.warn(
            { event: 'notification-attempt-failed', id, receiver, integration, attempt: number, reason },
            'A message could not be delivered',
          )
        }
      }
      if (event.type === 'ended') {
        metrics.notifications.inc({ integration, state: event.state })
        const fields = { event: 'notification-ended', id, receiver, integration, state: event.state }
        if (event.state === 'failed')
          logger.error({ ...fields, reason: event.reason }, 'A message was given up')
        else logger.info(fields)
      }
    }
  }

  function begin(intent: Intent): void {
    const lane = `${intent.notification.receiver}\n${intent.integration}`
    const done = deliver(intent)
      .catch((error: unknown) => {
        logger.error({ event: 'delivery-broke', id: intent.id, err: error })
      })
      .then(() => {
        inFlight.delete(intent.id)
        options.onSettled(intent)
      })
    inFlight.set(intent.id, { lane, done })
  }

  async function currentEnded(): Promise<void> {
    await Promise.all([...inFlight.values()].map(({ done }) => done))
  }

  return {
    currentEnded,
    isInFlight: (intentId) => inFlight.has(intentId),
    start: (nowMs) => {
      if (isClosing) return
      for (const intent of [...waiting()]) {
        if (inFlight.size >= MOST_AT_ONCE) return
        if (intent.nextAttemptAtMs > nowMs) continue
        if (isLaneFull(`${intent.notification.receiver}\n${intent.integration}`)) continue
        begin(intent)
      }
    },
    nextDueMs: () => {
      let next: number | null = null
      for (const { nextAttemptAtMs } of waiting()) {
        if (next === null || nextAttemptAtMs < next) next = nextAttemptAtMs
      }
      return next
    },
    settled: async () => {
      while (inFlight.size > 0) await currentEnded()
    },
    close: async (graceMs) => {
      isClosing = true
      const all = currentEnded()
      const cutOff = setTimeout(() => stop.abort(), graceMs)
      await all
      clearTimeout(cutOff)
    },
  }
}
