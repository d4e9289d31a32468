import type { AlertingEvent } from './alerting-event.ts'
import type { AlertingState } from './alerting-state.ts'

/** Ended messages are remembered so long (and in ClickHouse longer), and no more than so many of them. */
const KEEP_INTENTS_MS = 24 * 3_600_000
const KEEP_INTENTS = 2_000
/** As Alertmanager's `data.retention`. */
const KEEP_SILENCES_MS = 120 * 3_600_000

/** The events that drop what nobody needs any more. */
export function expiredRecords(state: AlertingState, nowMs: number): AlertingEvent[] {
  const events: AlertingEvent[] = []
  let excess = state.intents.size - KEEP_INTENTS
  for (const intent of state.intents.values()) {
    const isOld = intent.endedAtMs !== null && intent.endedAtMs < nowMs - KEEP_INTENTS_MS
    if (!isOld && excess <= 0) break
    if (intent.state === 'pending') continue
    events.push({ type: 'intent-gone', intentId: intent.id })
    excess -= 1
  }
  for (const silence of state.silences.values()) {
    if (silence.endsAtMs < nowMs - KEEP_SILENCES_MS) {
      events.push({ type: 'silence-gone', silenceId: silence.id })
    }
  }
  return events
}
