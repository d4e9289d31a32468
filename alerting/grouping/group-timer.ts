import type { Group } from '../state/group.ts'

/** The timers of a group, milliseconds. */
export interface GroupTimers {
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
  readonly repeatIntervalMs: number
}

/** The first look at a group whose first alert came at `nowMs`: `group_wait` later, however old the alert is. */
export function firstTick(nowMs: number, timers: GroupTimers): number {
  return nowMs + timers.groupWaitMs
}

/** The next look after `tickMs`: whole intervals later, and after `nowMs` if the program slept meanwhile. */
export function nextTick(tickMs: number, timers: GroupTimers, nowMs: number): number {
  const missed = Math.max(0, Math.floor((nowMs - tickMs) / timers.groupIntervalMs))
  return tickMs + (missed + 1) * timers.groupIntervalMs
}

/**
 * When the group must be looked at: at its next tick, or sooner when a repeat is due between two ticks, so that
 * `repeat_interval` holds exactly whether or not it is a multiple of `group_interval`. `lastLookMs`: looks at or before
 * then were taken already.
 */
export function dueAt(group: Group, timers: GroupTimers, lastLookMs: number): number {
  let due = group.nextTickMs
  for (const { told, pending } of Object.values(group.ledgers)) {
    if (told === null || pending !== null || told.firing.length === 0) continue
    const repeatAtMs = told.tickMs + timers.repeatIntervalMs
    if (repeatAtMs > lastLookMs && repeatAtMs < due) due = repeatAtMs
  }
  return due
}
