import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../float-histogram.ts'
import { type HistogramBucket, histogramBuckets } from './histogram-buckets.ts'

/** A quantile, and what observations of NaN did to it: made it NaN, or higher than it is (they count as greater than anything). */
export interface QuantileOutcome {
  readonly value: number
  readonly nanEffect: 'none' | 'result' | 'skew'
}

/**
 * The phi-quantile of the observations in a native histogram, as Prometheus 3 computes `histogram_quantile`: -Inf below 0, +Inf above 1, NaN without
 * observations. Within a bucket observations are taken to lie evenly on a logarithmic scale; evenly on a linear one in buckets with own bounds and in
 * the zero bucket, of which the side counts that has buckets, if only one has.
 */
export function histogramQuantile(phi: number, histogram: FloatHistogram): QuantileOutcome {
  if (phi < 0) return plain(Number.NEGATIVE_INFINITY)
  if (phi > 1) return plain(Number.POSITIVE_INFINITY)
  if (histogram.count === 0 || Number.isNaN(phi)) return plain(Number.NaN)
  const hasNaNSum = Number.isNaN(histogram.sum)
  // From the nearer end, because less is added up; observations of NaN are in no bucket and count as the highest.
  const isForward = hasNaNSum || phi < 0.5
  const buckets = histogramBuckets(histogram)
  if (!isForward) buckets.reverse()
  let rank = (isForward ? phi : 1 - phi) * histogram.count
  let count = 0
  let at = -1
  for (let i = 0; i < buckets.length; i += 1) {
    at = i
    const inside = buckets[i]?.count ?? 0
    if (inside === 0) continue
    count += inside
    if (count >= rank) break
  }
  const bucket = buckets[at]
  let { lower, upper } = bucket === undefined ? { lower: 0, upper: 0 } : oneSided(bucket, histogram)
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA) {
    if (lower === Number.NEGATIVE_INFINITY) {
      if (upper <= 0) return plain(upper)
      lower = 0
    } else if (upper === Number.POSITIVE_INFINITY) return plain(lower)
  }
  if (count > histogram.count) count = histogram.count
  if (count < rank) return hasNaNSum ? { value: Number.NaN, nanEffect: 'result' } : plain(upper)
  const inside = bucket?.count ?? 0
  rank = isForward ? rank - (count - inside) : count - rank
  const value = interpolate(histogram, lower, upper, rank / inside)
  if (!hasNaNSum) return plain(value)
  for (const { count: more } of buckets.slice(at + 1)) count += more
  return { value, nanEffect: count < histogram.count ? 'skew' : 'none' }
}

/** The bounds of a bucket; those of the zero bucket end at 0 on the side where the histogram has no buckets. */
export function oneSided(
  bucket: HistogramBucket,
  histogram: FloatHistogram,
): { readonly lower: number; readonly upper: number } {
  const { lower, upper } = bucket
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA || !(lower < 0 && upper > 0)) return { lower, upper }
  const hasNegative = histogram.negativeBuckets.length > 0
  const hasPositive = histogram.positiveBuckets.length > 0
  if (hasPositive && !hasNegative) return { lower: 0, upper }
  return hasNegative && !hasPositive ? { lower, upper: 0 } : { lower, upper }
}

function interpolate(histogram: FloatHistogram, lower: number, upper: number, fraction: number): number {
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA || (lower <= 0 && upper >= 0)) {
    return lower + (upper - lower) * fraction
  }
  const logLower = Math.log2(Math.abs(lower))
  const logUpper = Math.log2(Math.abs(upper))
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * fraction)
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction)))
}

function plain(value: number): QuantileOutcome {
  return { value, nanEffect: 'none' }
}
