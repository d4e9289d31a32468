import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../float-histogram.ts'
import { histogramBuckets } from './histogram-buckets.ts'

/** A fraction; `hasNaN`: some observations were NaN, and they are in no range. */
export interface FractionOutcome {
  readonly value: number
  readonly hasNaN: boolean
}

/**
 * Which part of the observations lies between two values, as Prometheus 3 computes `histogram_fraction`: NaN without observations or with a bound that
 * is NaN, 0 when the range is empty. Interpolates like histogramQuantile, of which it is the inverse.
 */
export function histogramFraction(
  lowerValue: number,
  upperValue: number,
  histogram: FloatHistogram,
): FractionOutcome {
  if (histogram.count === 0 || Number.isNaN(lowerValue) || Number.isNaN(upperValue)) {
    return { value: Number.NaN, hasNaN: false }
  }
  if (lowerValue >= upperValue) return { value: 0, hasNaN: false }
  const buckets = histogramBuckets(histogram)
  const hasNaNSum = Number.isNaN(histogram.sum)
  const observed = hasNaNSum ? buckets.reduce((sum, bucket) => sum + bucket.count, 0) : histogram.count
  const rankOf = (value: number): number =>
    Math.min(observed, rankBelow(value, histogram, buckets) ?? observed)
  return {
    value: (rankOf(upperValue) - rankOf(lowerValue)) / histogram.count,
    hasNaN: hasNaNSum && observed < histogram.count,
  }
}

/** How many observations lie below a value; null when it is above all buckets. */
function rankBelow(
  value: number,
  histogram: FloatHistogram,
  buckets: ReturnType<typeof histogramBuckets>,
): number | null {
  const isCustom = histogram.schema === CUSTOM_BUCKETS_SCHEMA
  const hasNegative = histogram.negativeBuckets.length > 0
  const hasPositive = histogram.positiveBuckets.length > 0
  let rank = 0
  for (const bucket of buckets) {
    let { lower, upper } = bucket
    const isAroundZero = lower <= 0 && upper >= 0
    // With own bounds all buckets are on the positive side, so that the one around 0 begins there: as in classic histograms.
    if (isAroundZero && hasPositive && !hasNegative) lower = 0
    else if (isAroundZero && hasNegative && !hasPositive) upper = 0
    if (lower >= value) return rank
    if (upper > value) {
      const isLinear = isCustom || isAroundZero
      return isLinear
        ? rankLinearly(rank, bucket.count, lower, upper, value)
        : rank + bucket.count * logarithmicShare(lower, upper, value)
    }
    rank += bucket.count
  }
  return null
}

/** Observations in a bucket without a lower bound count as below any value inside it. */
function rankLinearly(rank: number, count: number, lower: number, upper: number, value: number): number {
  if (lower === Number.NEGATIVE_INFINITY) return count
  return rank + (count * (value - lower)) / (upper - lower)
}

/** Which part of a bucket that does not reach over 0 lies below a value inside it. */
export function logarithmicShare(lower: number, upper: number, value: number): number {
  const logLower = Math.log2(Math.abs(lower))
  const logUpper = Math.log2(Math.abs(upper))
  const log = Math.log2(Math.abs(value))
  if (value > 0) return (log - logLower) / (logUpper - logLower)
  return 1 - (log - logUpper) / (logLower - logUpper)
}
