import { slotAt, spreadOffset } from '../model/slot.ts'
import { groupKey, type RuleGroup } from './rule-group.ts'

/** When a group is evaluated next. */
export interface Slot {
  /** The evaluation's time, epoch milliseconds. */
  readonly timeMs: number
  /** Slots that went by since the last one without an evaluation. */
  readonly missed: number
}

/**
 * How far behind the multiples of its interval a group is evaluated, milliseconds: a pure function of name, file and interval, so that
 * groups are spread, and every process and every restart agrees.
 */
export function slotOffset(group: Pick<RuleGroup, 'file' | 'name'>, intervalMs: number): number {
  return spreadOffset(groupKey(group), intervalMs)
}

/**
 * The slot that is due at `nowMs` when the last one evaluated was `lastMs` (null: none yet); null when none is. Slots that went by are counted,
 * not made up for. A clock that went back by more than an interval starts anew from its time.
 */
export function dueSlot(
  nowMs: number,
  lastMs: number | null,
  intervalMs: number,
  offsetMs: number,
): Slot | null {
  const timeMs = slotAt(nowMs, intervalMs, offsetMs)
  if (lastMs === null) return { timeMs, missed: 0 }
  if (timeMs > lastMs) return { timeMs, missed: Math.round((timeMs - lastMs) / intervalMs) - 1 }
  return lastMs - timeMs > intervalMs ? { timeMs, missed: 0 } : null
}
