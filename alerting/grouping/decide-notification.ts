import type { NotificationReason } from '../notifier.ts'
import type { Ledger } from '../state/group.ts'

/** What a group looks like to one integration at a tick. Lists hold fingerprints. */
export interface GroupView {
  /** Firing and not muted. */
  readonly firing: readonly string[]
  /** Ended and still in the group: those not muted, and those that are open or owed whatever mutes them. */
  readonly resolved: readonly string[]
  readonly tickMs: number
  readonly repeatIntervalMs: number
  readonly sendResolved: boolean
}

/** What is to be done about a group for one integration. */
export type Decision =
  | {
      readonly action: 'send'
      readonly reason: NotificationReason
      readonly firing: readonly string[]
      readonly resolved: readonly string[]
      /** The message is the first word about alerts that have ended. */
      readonly isLate: boolean
    }
  /** Nothing is said; these endings are done with. */
  | { readonly action: 'close'; readonly fingerprints: readonly string[] }
  | { readonly action: 'nothing'; readonly why: string }

/**
 * Alertmanager's dedup rule (`DedupStage.needsUpdate`) with three differences: a closing message that is owed is sent even
 * when the alert is muted by then; an alert that ended before anything about it could be delivered is told, late, even to
 * integrations that do not want to hear of endings; a repeat is due when its interval has passed to the millisecond.
 */
export function decideNotification(ledger: Ledger, view: GroupView): Decision {
  const { firing, resolved, sendResolved } = view
  const told = new Set(ledger.told?.firing ?? [])
  const endedOpen = resolved.filter((print) => ledger.open.includes(print))
  const endedOwed = resolved.filter((print) => ledger.owed.includes(print))
  const isLate = endedOwed.length > 0
  const send = (reason: NotificationReason): Decision => ({
    action: 'send',
    reason,
    firing,
    resolved: sendResolved ? resolved : endedOwed,
    isLate,
  })
  if (ledger.pending !== null) {
    const isSame =
      isEqualSet(firing, ledger.pending.firing) &&
      (sendResolved ? resolved : endedOwed).every((print) => ledger.pending?.resolved.includes(print))
    if (isSame) return { action: 'nothing', why: 'a message that says so is waiting to be delivered' }
    if (firing.length === 0 && resolved.length === 0) {
      return { action: 'nothing', why: 'everything is muted; the message under way stands' }
    }
  }
  if (firing.some((print) => !told.has(print))) {
    return send(told.size === 0 ? 'first notification' : 'new alerts added')
  }
  if (isLate || (sendResolved && endedOpen.length > 0)) {
    const isOver = firing.length === 0 && ledger.open.every((print) => resolved.includes(print))
    return send(isOver ? 'all alerts resolved' : 'some alerts resolved')
  }
  if (endedOpen.length > 0) return { action: 'close', fingerprints: endedOpen }
  if (firing.length === 0) return { action: 'nothing', why: 'no alert fires that is not muted' }
  const repeatAtMs = (ledger.told?.tickMs ?? view.tickMs) + view.repeatIntervalMs
  if (ledger.pending === null && view.tickMs >= repeatAtMs) return send('repeat interval elapsed')
  return { action: 'nothing', why: 'the receiver knows all this, and the repeat interval is not over' }
}

function isEqualSet(a: readonly string[], b: readonly string[]): boolean {
  const set = new Set(a)
  return set.size === new Set(b).size && b.every((print) => set.has(print))
}
