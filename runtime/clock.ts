/** The source of time. Everything that decides takes `now` or a clock as a parameter; tests hand in their own. */
export interface Clock {
  /** Wall-clock time, epoch milliseconds. May jump. */
  now(): number
  /** Milliseconds since an arbitrary start; never goes back. For durations. */
  monotonic(): number
}

/** The machine's clock: the only place that reads it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
