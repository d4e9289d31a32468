const DAY_MS = 86_400_000

/**
 * The day since whose midnight (UTC) a count made of differences counts, as its number since the epoch. What stands at midnight itself tells of the day that
 * ends there.
 */
export function deltaDay(timeMs: number): number {
  return Math.ceil(timeMs / DAY_MS) - 1
}

/** Midnight before a day, epoch milliseconds: its differences are later. */
export function beginOfDeltaDay(day: number): number {
  return day * DAY_MS
}

/** How far back differences matter to samples in (fromMs, …]: they are later than this. At least -1, before anything that can be stored. */
export function deltasFromMs(fromMs: number): number {
  return Math.max(-1, beginOfDeltaDay(deltaDay(fromMs + 1)))
}
