import type { Evidence } from '../evidence.ts'
import type { Silence } from '../muting/silence.ts'
import type { Group } from './group.ts'
import type { Attempt, Intent } from './intent.ts'
import type { StoredAlert } from './stored-alert.ts'

/** Everything that changes what alerting must know after a restart. The log is a list of these; JSON through and through. */
export type AlertingEvent =
  | { readonly type: 'alert'; readonly alert: StoredAlert }
  | { readonly type: 'alert-gone'; readonly tenant: string; readonly fingerprint: string }
  /** A new group, or one whose place in the routing tree or timer changed. */
  | { readonly type: 'group'; readonly group: Group }
  | { readonly type: 'group-gone'; readonly groupId: string }
  | { readonly type: 'joined' | 'left'; readonly groupId: string; readonly fingerprint: string }
  | { readonly type: 'ticked'; readonly groupId: string; readonly nextTickMs: number }
  /** A message is to be delivered. Replaces the pending one of the same group and integration. */
  | { readonly type: 'intent'; readonly intent: Intent }
  | { readonly type: 'evidence'; readonly intentId: string; readonly evidence: Evidence | null }
  | {
      readonly type: 'attempt'
      readonly intentId: string
      readonly attempt: Attempt
      readonly nextAttemptAtMs: number
      readonly recipients: readonly string[] | null
    }
  | {
      readonly type: 'ended'
      readonly intentId: string
      readonly state: 'delivered' | 'failed'
      readonly reason: string | null
      readonly atMs: number
    }
  /** Endings that an integration does not want to hear of. */
  | {
      readonly type: 'closed'
      readonly groupId: string
      readonly integration: string
      readonly fingerprints: readonly string[]
    }
  | { readonly type: 'intent-gone'; readonly intentId: string }
  | { readonly type: 'silence'; readonly silence: Silence }
  | { readonly type: 'silence-gone'; readonly silenceId: string }
