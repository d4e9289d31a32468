/** How many series a tenant may have; 0: no limit. */
export interface SeriesLimit {
  readonly global: number
  readonly perMetric: number
}

/** Names and values. */
export type LabelPairs = Iterable<readonly [string, string]>

/** One series that asks to be taken. */
export interface AskingSeries {
  /** The name in Prometheus' form; of histograms and summaries without suffix. */
  readonly metric: string
  /** Its 16-byte id begins at `idStart`. */
  readonly ids: Uint8Array
  readonly idStart: number
  /** Asked only where somebody counts them. */
  readonly labels: () => LabelPairs
}

/** Series that a tenant had before this process began. */
export interface KnownSeries {
  readonly tenant: string
  readonly metrics: readonly string[]
  /** Metric i has the ids from `ends[i - 1]` (0 for the first) up to `ends[i]`. */
  readonly ends: Float64Array
  /** The first 8 bytes of each id, little-endian. */
  readonly ids: BigUint64Array
}

/** Says which series are taken. A tenant's series are those that were told of today or yesterday (UTC). */
export interface SeriesLimiter {
  /** Grows when series that were refused may be taken. */
  epoch(): number
  /** Says whose series follow and on which day (days since the epoch). */
  begin(tenant: string, day: number): void
  /** Series that were taken since {@link begin} were not written after all. */
  rollback(): void
  /** Whether a series may be written: it was there before, or there is room for it. */
  admits(series: AskingSeries): boolean
  /** Until a tenant's series are known, all are taken. */
  learn(known: KnownSeries): void
  /** How many series each tenant has. */
  active(): ReadonlyMap<string, number>
}

/** Takes every series and counts none. */
export const NO_SERIES_LIMIT: SeriesLimiter = {
  epoch: () => 0,
  begin: () => undefined,
  rollback: () => undefined,
  admits: () => true,
  learn: () => undefined,
  active: () => new Map(),
}
