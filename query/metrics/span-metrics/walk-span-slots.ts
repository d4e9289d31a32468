/** Width of a slot of the finest roll-up, seconds. */
export const SLOT_SECONDS = 10
/** So long after its last call a series still has samples, seconds. */
export const CARRY_SECONDS = 300
/** Slots that begin so long before a range may matter to it, seconds: until then the series of an earlier call has ended. */
export const REACH_SECONDS = CARRY_SECONDS + SLOT_SECONDS
/** A counter begins again after so long, at midnight UTC. */
export const DAY_SECONDS = 86_400

/** One sample of a counter over slots: it counts the slots from `since` up to but without `upTo`. */
export interface SlotSample {
  readonly timeMs: number
  readonly since: number
  readonly upTo: number
  /** And what was counted on the base day before the first slot. */
  readonly hasBase: boolean
  /** There is no value, the series ends here. */
  readonly isStale: boolean
}

/**
 * Visits the moments in (fromMs, toMs] at which a counter over slots has samples, in their order. `slots`: beginnings of the slots in which something was
 * counted, epoch seconds, ascending, multiples of ten, with all from {@link REACH_SECONDS} before `fromMs` on. `baseDay`: the day since the epoch that the first of them
 * may lie on, of which the caller knows what was counted before.
 *
 * - A sample stands at the end of each slot of ten seconds, from the first call on until five minutes after the last one; then the series ends.
 * - Before a call after a pause, and before the very first, stands a sample without it, so that `rate` and `increase` see that call.
 * - A millisecond after midnight UTC the counter begins again at 0. So what it says does not depend on where a read begins, and no read has to add up
 *   more than a day.
 */
export function walkSpanSlots(
  slots: ArrayLike<number>,
  range: { readonly fromMs: number; readonly toMs: number; readonly baseDay: number },
  visit: (sample: SlotSample) => void,
): void {
  const { fromMs, toMs, baseDay } = range
  let day = baseDay
  let since = 0
  const sample = (timeMs: number, upTo: number, isStale = false): void => {
    if (timeMs > fromMs && timeMs <= toMs) visit({ timeMs, since, upTo, hasBase: day === baseDay, isStale })
  }
  /** Goes on to the day of a slot; `isLive`: the counter is seen to begin again. */
  const enterDay = (slot: number, upTo: number, isLive: boolean): void => {
    const slotDay = Math.floor(slot / DAY_SECONDS)
    if (slotDay === day) return
    day = slotDay
    since = upTo
    if (isLive) sample(day * DAY_SECONDS * 1000 + 1, upTo)
  }
  /** Samples at the ends of the slots without calls in [from, to). */
  const carry = (from: number, to: number, upTo: number): void => {
    for (let slot = from; slot < to && slot * 1000 <= toMs; slot += SLOT_SECONDS) {
      enterDay(slot, upTo, true)
      sample((slot + SLOT_SECONDS) * 1000, upTo)
    }
  }
  const finish = (end: number, upTo: number): void => {
    carry(end, end + CARRY_SECONDS, upTo)
    sample((end + REACH_SECONDS) * 1000, upTo, true)
  }
  let end = Number.NEGATIVE_INFINITY
  let at = 0
  for (; at < slots.length; at += 1) {
    const slot = slots[at] ?? 0
    if (slot * 1000 > toMs) break
    const isLive = slot <= end + REACH_SECONDS
    if (isLive) carry(end, slot, at)
    else if (at > 0) finish(end, at)
    enterDay(slot, at, isLive)
    if (!isLive) sample(slot * 1000, at)
    end = slot + SLOT_SECONDS
    sample(end * 1000, at + 1)
  }
  if (at > 0) finish(end, at)
}
