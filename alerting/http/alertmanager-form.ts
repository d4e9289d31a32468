import { labelsToRecord } from '../../model/labels.ts'
import { type Silence, silenceState } from '../muting/silence.ts'
import type { AlertView } from '../views/view-alerts.ts'

/** A time as Alertmanager's API writes it: RFC 3339 with milliseconds. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

/** `gettableAlert` of Alertmanager's API v2. */
export function gettableAlert(view: AlertView): object {
  const { alert } = view
  return {
    annotations: labelsToRecord(alert.annotations),
    endsAt: timeText(alert.endsAtMs),
    fingerprint: alert.fingerprint,
    receivers: view.receivers.map((name) => ({ name })),
    startsAt: timeText(alert.startsAtMs),
    status: {
      inhibitedBy: view.inhibitedBy,
      mutedBy: view.mutedBy,
      silencedBy: view.silencedBy,
      state: view.state,
    },
    updatedAt: timeText(alert.updatedAtMs),
    generatorURL: alert.generatorUrl,
    labels: labelsToRecord(alert.labels),
  }
}

/** `gettableSilence` of Alertmanager's API v2. */
export function gettableSilence(silence: Silence, nowMs: number): object {
  return {
    id: silence.id,
    status: { state: silenceState(silence, nowMs) },
    updatedAt: timeText(silence.updatedAtMs),
    annotations: silence.annotations,
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: timeText(silence.endsAtMs),
    matchers: silence.matchers.map(({ name, op, value }) => ({
      isEqual: op === '=' || op === '=~',
      isRegex: op === '=~' || op === '!~',
      name,
      value,
    })),
    startsAt: timeText(silence.startsAtMs),
  }
}
