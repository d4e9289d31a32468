import { labelsToRecord } from '../../model/labels.ts'
import type { Attempt, Intent } from '../state/intent.ts'

/** A message as `/api/notifications` shows it. Times in nanoseconds since the epoch, durations in nanoseconds, as text. */
export interface NotificationView {
  readonly id: string
  readonly receiver: string
  readonly integration: 'webhook' | 'email'
  /** Its place among the receiver's entries of its kind. */
  readonly integrationIndex: number
  /** A message that a newer one replaced before it was delivered counts as failed, and `supersededBy` names the newer one. */
  readonly state: 'pending' | 'delivered' | 'failed'
  readonly supersededBy: string | null
  /** Why it failed, or which recipients could not be told. */
  readonly failure: string | null
  readonly status: 'firing' | 'resolved'
  readonly reason: string
  readonly isLate: boolean
  readonly groupKey: string
  readonly groupLabels: Readonly<Record<string, string>>
  readonly createdUnixNano: string
  readonly endedUnixNano: string | null
  /** When it is tried next; null when it has ended. */
  readonly nextAttemptUnixNano: string | null
  readonly alerts: readonly {
    readonly fingerprint: string
    readonly status: 'firing' | 'resolved'
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
    readonly startsUnixNano: string
    readonly endsUnixNano: string | null
  }[]
  /** Alerts in the message; the newest attempts and the first alerts are listed. */
  readonly alertCount: number
  readonly attemptCount: number
  readonly attempts: readonly {
    readonly number: number
    readonly atUnixNano: string
    readonly latencyNanos: string
    readonly outcome: Attempt['outcome']
    readonly reason: string | null
    readonly receipt: Attempt['receipt']
  }[]
  readonly evidence: Intent['notification']['evidence']
}

/** Alerts listed of one message: more make an answer nobody reads. */
const MOST_ALERTS = 100

/** An intent as the API shows it. */
export function viewNotification(intent: Intent): NotificationView {
  const { notification } = intent
  const [kind = '', index = '0'] = intent.integration.split('/')
  return {
    id: intent.id,
    receiver: notification.receiver,
    integration: kind === 'email' ? 'email' : 'webhook',
    integrationIndex: Number(index),
    state: intent.state === 'superseded' ? 'failed' : intent.state,
    supersededBy: intent.supersededBy,
    failure: intent.reason,
    status: notification.status,
    reason: notification.reason,
    isLate: notification.isLate,
    groupKey: notification.groupKey,
    groupLabels: labelsToRecord(notification.groupLabels),
    createdUnixNano: nanos(notification.createdAtMs),
    endedUnixNano: intent.endedAtMs === null ? null : nanos(intent.endedAtMs),
    nextAttemptUnixNano: intent.state === 'pending' ? nanos(intent.nextAttemptAtMs) : null,
    alerts: notification.alerts.slice(0, MOST_ALERTS).map((alert) => ({
      fingerprint: alert.fingerprint,
      status: alert.status,
      labels: labelsToRecord(alert.labels),
      annotations: labelsToRecord(alert.annotations),
      startsUnixNano: nanos(alert.startsAtMs),
      endsUnixNano: alert.endsAtMs === null ? null : nanos(alert.endsAtMs),
    })),
    alertCount: notification.alerts.length,
    attemptCount: intent.attemptCount,
    attempts: intent.attempts.map((attempt) => ({
      number: attempt.number,
      atUnixNano: nanos(attempt.atMs),
      latencyNanos: nanos(attempt.latencyMs),
      outcome: attempt.outcome,
      reason: attempt.reason,
      receipt: attempt.receipt,
    })),
    evidence: notification.evidence,
  }
}

/** Milliseconds as nanoseconds, decimal text. */
export function nanos(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n)
}
