/** Buckets next to each other: `offset` empty ones are left out before them (for the first span: its first bucket's index). */
export interface HistogramSpan {
  readonly offset: number
  readonly length: number
}

/** What is known about a reset of the counter behind a histogram. */
export type CounterResetHint = 'unknown' | 'reset' | 'not_reset' | 'gauge'

/**
 * A native histogram as Prometheus has it, counts as floats. Bucket i of a schema s (-4 … 8) ends at 2^(i · 2^-s), inclusive; schema -53 has its
 * bounds in `customValues`. Buckets hold counts, not differences.
 */
export interface FloatHistogram {
  readonly schema: number
  readonly zeroThreshold: number
  readonly zeroCount: number
  readonly count: number
  readonly sum: number
  readonly positiveSpans: readonly HistogramSpan[]
  readonly positiveBuckets: readonly number[]
  readonly negativeSpans: readonly HistogramSpan[]
  readonly negativeBuckets: readonly number[]
  readonly customValues: readonly number[]
  readonly counterResetHint: CounterResetHint
}

/** The schema of histograms with their own bounds. */
export const CUSTOM_BUCKETS_SCHEMA = -53

/** The histogram of nothing. */
export const EMPTY_HISTOGRAM: FloatHistogram = {
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 0,
  sum: 0,
  positiveSpans: [],
  positiveBuckets: [],
  negativeSpans: [],
  negativeBuckets: [],
  customValues: [],
  counterResetHint: 'unknown',
}
