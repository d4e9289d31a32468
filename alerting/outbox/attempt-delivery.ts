import type { Clock } from '../../runtime/clock.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { DeliveryOutcome, Notifier } from '../notifier.ts'
import type { AlertingEvent } from '../state/alerting-event.ts'
import type { Attempt, Intent } from '../state/intent.ts'
import { backoffMs } from './backoff.ts'

/** Longer than any channel's own time-outs: what hangs beyond it is given up and tried again, milliseconds. */
export const ATTEMPT_LIMIT_MS = 60_000

/** Tries once. Returns the events that say how it went: an attempt, and the end if it is one. Never rejects. */
export async function attemptDelivery(
  intent: Intent,
  notifier: Notifier,
  options: { readonly clock: Clock; readonly signal: AbortSignal; readonly random: () => number },
): Promise<AlertingEvent[]> {
  const { clock } = options
  const number = intent.attemptCount + 1
  const atMs = clock.now()
  const startedMs = clock.monotonic()
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(ATTEMPT_LIMIT_MS)])
  let outcome: DeliveryOutcome
  try {
    outcome = await withinSignal(
      notifier.notify(intent.notification, {
        attempt: number,
        nowMs: atMs,
        recipients: intent.recipients,
        signal,
      }),
      signal,
    )
  } catch (error) {
    outcome = { outcome: 'retry', reason: errorMessage(error) }
  }
  const latencyMs = Math.max(0, Math.round(clock.monotonic() - startedMs))
  return eventsOf(intent, outcome, { number, atMs, latencyMs, nowMs: clock.now(), random: options.random() })
}

/** A notifier that does not heed its signal must not hold the message for ever. */
function withinSignal<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error('the attempt took too long, or the program stopped'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** What an outcome makes of an intent. */
export function eventsOf(
  intent: Intent,
  outcome: DeliveryOutcome,
  at: {
    readonly number: number
    readonly atMs: number
    readonly latencyMs: number
    readonly nowMs: number
    readonly random: number
  },
): AlertingEvent[] {
  const reason = outcome.outcome === 'delivered' ? null : outcome.reason
  const attempt: Attempt = {
    number: at.number,
    atMs: at.atMs,
    latencyMs: at.latencyMs,
    outcome: outcome.outcome,
    reason,
    receipt: outcome.receipt ?? null,
  }
  const left = outcome.outcome === 'partially' ? outcome.retry : intent.recipients
  const wish = outcome.outcome === 'retry' ? (outcome.retryAfterMs ?? null) : null
  const nextAttemptAtMs = at.nowMs + backoffMs(at.number, wish, at.random)
  const attempted: AlertingEvent = {
    type: 'attempt',
    intentId: intent.id,
    attempt,
    nextAttemptAtMs,
    recipients: left,
  }
  const ended = (state: 'delivered' | 'failed', why: string | null): AlertingEvent[] => [
    attempted,
    { type: 'ended', intentId: intent.id, state, reason: why, atMs: at.nowMs },
  ]
  if (outcome.outcome === 'delivered') return ended('delivered', null)
  if (outcome.outcome === 'permanent') {
    // Some recipients have it already: the message as a whole is out.
    return intent.recipients === null ? ended('failed', reason) : ended('delivered', reason)
  }
  const isPartial = outcome.outcome === 'partially' || intent.recipients !== null
  if (outcome.outcome === 'partially' && outcome.retry.length === 0) return ended('delivered', reason)
  if (nextAttemptAtMs <= intent.deadlineMs) return [attempted]
  return isPartial
    ? ended('delivered', `some recipients could not be told in time: ${reason}`)
    : ended('failed', `it could not be delivered in time: ${reason}`)
}
