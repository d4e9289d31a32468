import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type FloatHistogram } from '../float-histogram.ts'

/**
 * The native histogram with its own bounds that a classic one amounts to. `bounds`: upper bounds, ascending, without +Inf; `counts`: how many observations
 * are in each bucket (not below its bound), one more than bounds.
 */
export function fromClassicBuckets(
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
  count: number,
): FloatHistogram {
  return {
    ...EMPTY_HISTOGRAM,
    schema: CUSTOM_BUCKETS_SCHEMA,
    sum,
    count,
    positiveSpans: counts.length === 0 ? [] : [{ offset: 0, length: counts.length }],
    positiveBuckets: counts,
    customValues: bounds,
  }
}
