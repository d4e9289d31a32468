import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../float-histogram.ts'
import { bucketBound } from './bucket-bound.ts'
import { readSide } from './bucket-side.ts'

/** One bucket with its bounds. */
export interface HistogramBucket {
  readonly lower: number
  readonly upper: number
  readonly isLowerInclusive: boolean
  readonly isUpperInclusive: boolean
  readonly count: number
}

/**
 * All buckets in ascending order, empty ones included: negative ones, the zero bucket if there is something in it, positive ones. A bucket that
 * overlaps with the zero bucket begins where that ends.
 */
export function histogramBuckets(histogram: FloatHistogram): HistogramBucket[] {
  const { zeroThreshold, zeroCount } = histogram
  const isCustom = histogram.schema === CUSTOM_BUCKETS_SCHEMA
  const buckets = negativeBuckets(histogram)
    .reverse()
    .map((bucket) =>
      bucket.upper < 0 && bucket.upper > -zeroThreshold ? { ...bucket, upper: -zeroThreshold } : bucket,
    )
  if (zeroCount > 0) buckets.push(zeroBucket(histogram))
  for (const bucket of positiveBuckets(histogram)) {
    const overlaps = !isCustom && bucket.lower > 0 && bucket.lower < zeroThreshold
    buckets.push(overlaps ? { ...bucket, lower: zeroThreshold } : bucket)
  }
  return buckets
}

/** The positive buckets (all of those with own bounds) in ascending order, empty ones included. */
export function positiveBuckets(histogram: FloatHistogram): HistogramBucket[] {
  const isCustom = histogram.schema === CUSTOM_BUCKETS_SCHEMA
  const { indexes, counts } = readSide(histogram.positiveSpans, histogram.positiveBuckets)
  return indexes.map((index, i) => ({
    lower: bucketBound(index - 1, histogram),
    upper: bucketBound(index, histogram),
    isLowerInclusive: isCustom && index === 0,
    isUpperInclusive: true,
    count: counts[i] ?? 0,
  }))
}

/** The negative buckets from the one next to zero downwards, empty ones included. */
export function negativeBuckets(histogram: FloatHistogram): HistogramBucket[] {
  const { indexes, counts } = readSide(histogram.negativeSpans, histogram.negativeBuckets)
  return indexes.map((index, i) => ({
    lower: -bucketBound(index, histogram),
    upper: -bucketBound(index - 1, histogram),
    isLowerInclusive: true,
    isUpperInclusive: false,
    count: counts[i] ?? 0,
  }))
}

/** The zero bucket: closed on both sides. */
export function zeroBucket(histogram: FloatHistogram): HistogramBucket {
  return {
    lower: -histogram.zeroThreshold,
    upper: histogram.zeroThreshold,
    isLowerInclusive: true,
    isUpperInclusive: true,
    count: histogram.zeroCount,
  }
}
