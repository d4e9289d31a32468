import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../float-histogram.ts'
import { histogramBuckets } from './histogram-buckets.ts'

/** The mean of the observations: sum / count. */
export function histogramAverage(histogram: FloatHistogram): number {
  return histogram.sum / histogram.count
}

/**
 * The estimated variance of the observations (`histogram_stdvar`): every observation is taken to be at the middle of its bucket, geometric in
 * exponential buckets, arithmetic with own bounds, 0 in the zero bucket.
 */
export function histogramVariance(histogram: FloatHistogram): number {
  const mean = histogramAverage(histogram)
  let sum = 0
  let lost = 0
  for (const { lower, upper, count } of histogramBuckets(histogram)) {
    if (count === 0) continue
    const delta = middle(lower, upper, histogram.schema === CUSTOM_BUCKETS_SCHEMA) - mean
    const square = count * delta * delta
    const after = sum + square
    if (Math.abs(after) === Number.POSITIVE_INFINITY) lost = 0
    else if (Math.abs(sum) >= Math.abs(square)) lost += sum - after + square
    else lost += square - after + sum
    sum = after
  }
  return (sum + lost) / histogram.count
}

/** The square root of {@link histogramVariance} (`histogram_stddev`). */
export function histogramDeviation(histogram: FloatHistogram): number {
  return Math.sqrt(histogramVariance(histogram))
}

function middle(lower: number, upper: number, isCustom: boolean): number {
  if (isCustom) return (upper + lower) / 2
  if (lower <= 0 && upper >= 0) return 0
  const geometric = Math.sqrt(upper * lower)
  return upper < 0 ? -geometric : geometric
}
