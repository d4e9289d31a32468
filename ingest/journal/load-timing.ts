/** What the loader looks at before a load. */
export interface LoadSituation {
  /** Bytes that one load could take. */
  readonly pendingBytes: number
  /** Age of the oldest request that cannot be queried yet, milliseconds. */
  readonly oldestAgeMs: number
  /** Whether the receivers have nearly no time left. */
  readonly isReceiverBusy: boolean
  /** How full the journal is, 0 to 1. */
  readonly journalShare: number
}

/** How records gather before a load. */
export interface LoadTiming {
  /** The age that a small load waits for. A large one waits twice as long: larger blocks cost ClickHouse a third less. */
  readonly intervalMs: number
  /** Where a load counts as large. */
  readonly largeBytes: number
  /** A load this large waits for nothing but a busy receiver. */
  readonly maxBatchBytes: number
}

/** A burst is taken into the journal first, and loaded when it is over or this old. */
const BURST_MS = 10_000
/** … or when it has filled this much of the journal. */
const BURST_SHARE = 0.25
const LOOK_AGAIN_MS = 250

/** How long to wait before the next load, milliseconds; 0: load now. Look again after the wait. */
export function loadDelay(situation: LoadSituation, timing: LoadTiming): number {
  const { pendingBytes, oldestAgeMs } = situation
  // Acknowledging comes before loading: what ClickHouse would take of the processors now is what senders wait for.
  const isBurst = situation.isReceiverBusy && oldestAgeMs < BURST_MS && situation.journalShare < BURST_SHARE
  if (isBurst) return LOOK_AGAIN_MS
  if (pendingBytes >= timing.maxBatchBytes) return 0
  const age = pendingBytes >= timing.largeBytes ? 2 * timing.intervalMs : timing.intervalMs
  // A clock that was set back must not hold up a load.
  return Math.max(0, Math.min(age - oldestAgeMs, age))
}
