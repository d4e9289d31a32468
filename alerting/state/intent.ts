import type { DeliveryReceipt, Notification } from '../notifier.ts'

/** A message that is to be delivered, or was, or was given up. JSON through and through. */
export interface Intent {
  readonly id: string
  readonly groupId: string
  /** `webhook/0`: kind and place among the receiver's entries of the kind. */
  readonly integration: string
  readonly notification: Notification
  /** The group's tick that decided it, epoch milliseconds. */
  readonly tickMs: number
  /** Given up then, epoch milliseconds. */
  readonly deadlineMs: number
  readonly state: 'pending' | 'delivered' | 'failed' | 'superseded'
  /** Why it is in that state, when it is neither pending nor delivered. */
  readonly reason: string | null
  readonly supersededBy: string | null
  readonly endedAtMs: number | null
  /** When it is tried next, epoch milliseconds. */
  readonly nextAttemptAtMs: number
  /** Recipients still to be told; null: all. */
  readonly recipients: readonly string[] | null
  readonly attemptCount: number
  /** The newest attempts, oldest first. */
  readonly attempts: readonly Attempt[]
  /** Evidence was asked for; it stands in the notification unless there is none. */
  readonly hasEvidence: boolean
}

/** One try to deliver. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number
  readonly atMs: number
  readonly latencyMs: number
  readonly outcome: 'delivered' | 'partially' | 'retry' | 'permanent'
  readonly reason: string | null
  readonly receipt: DeliveryReceipt | null
}

/** How many attempts are remembered in full. */
export const KEPT_ATTEMPTS = 20

/** Fingerprints of a message's alerts, by status. */
export function printsOf(notification: Notification): { firing: string[]; resolved: string[] } {
  const of = (status: 'firing' | 'resolved') =>
    notification.alerts.filter((alert) => alert.status === status).map((alert) => alert.fingerprint)
  return { firing: of('firing'), resolved: of('resolved') }
}
