/** Which times telemetry may have, epoch milliseconds, both inclusive. */
export interface TimeWindow {
  readonly fromMs: number
  readonly toMs: number
  /** The time of receipt, for log records that have no time of their own. */
  readonly nowMs: number
}

/** The window at `now` (epoch ms): what retention would drop at once is refused, and clocks may be ahead by `maxFutureMs`. */
export function timeWindowAt(now: number, retentionMs: number, maxFutureMs: number): TimeWindow {
  return { fromMs: now - retentionMs, toMs: now + maxFutureMs, nowMs: now }
}

/** Whether a time in nanoseconds, given as two halves, is in the window. */
export function checkTime(
  low: number,
  high: number,
  window: TimeWindow,
): 'no_time' | 'too_old' | 'in_future' | null {
  if (low === 0 && high === 0) return 'no_time'
  const ms = (high * 0x100000000 + low) / 1e6
  if (ms < window.fromMs) return 'too_old'
  return ms > window.toMs ? 'in_future' : null
}
