import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../float-histogram.ts'
import { compactHistogram } from './compact-histogram.ts'
import {
  type HistogramBucket,
  negativeBuckets as readNegative,
  positiveBuckets as readPositive,
} from './histogram-buckets.ts'
import { logarithmicShare } from './histogram-fraction.ts'

/**
 * Only the observations below `bound`, as the operator `</` of PromQL. The bucket that the bound cuts is interpolated as in histogramQuantile; count and
 * sum are then estimated from what is left, each observation at the middle of its bucket. Nothing changes when no bucket is touched.
 */
export function trimUpper(histogram: FloatHistogram, bound: number): FloatHistogram {
  return trim(histogram, bound, 'upper')
}

/** Only the observations above `bound`, as the operator `>/` of PromQL; see {@link trimUpper}. */
export function trimLower(histogram: FloatHistogram, bound: number): FloatHistogram {
  return trim(histogram, bound, 'lower')
}

type End = 'upper' | 'lower'

/** What is left of a bucket, and the value all of it is taken to have. */
interface Rest {
  readonly count: number
  readonly at: number
}

function trim(histogram: FloatHistogram, bound: number, end: End): FloatHistogram {
  const isCustom = histogram.schema === CUSTOM_BUCKETS_SCHEMA
  const positive = readPositive(histogram)
  const negative = readNegative(histogram)
  let count = 0
  let sum = 0
  let isTouched = false
  const keep = (before: number, rest: Rest): number => {
    count += rest.count
    // An empty rest adds nothing, even if its place is not finite.
    if (rest.count !== 0) sum += rest.at * rest.count
    if (rest.count !== before) isTouched = true
    return rest.count
  }
  const trimSide = (buckets: readonly HistogramBucket[], sign: 1 | -1): number[] =>
    buckets.map((bucket) =>
      bucket.count === 0 ? 0 : keep(bucket.count, restOf(bucket, bound, end, sign, isCustom)),
    )
  const positiveBuckets = trimSide(positive, 1)
  const negativeBuckets = trimSide(negative, -1)
  let { zeroCount } = histogram
  if (zeroCount > 0) {
    const hasPositive = positive.some((bucket) => bucket.count !== 0)
    const hasNegative = negative.some((bucket) => bucket.count !== 0)
    const { zeroThreshold } = histogram
    const lower = hasPositive && !hasNegative ? 0 : -zeroThreshold
    const upper = hasNegative && !hasPositive ? 0 : zeroThreshold
    zeroCount = keep(zeroCount, restOfZero(zeroCount, lower, upper, bound, end))
  }
  if (!isTouched) return histogram
  return compactHistogram({ ...histogram, zeroCount, count, sum, positiveBuckets, negativeBuckets })
}

const NOTHING: Rest = { count: 0, at: 0 }

function restOf(bucket: HistogramBucket, bound: number, end: End, sign: 1 | -1, isCustom: boolean): Rest {
  const { lower, upper, count } = bucket
  if (end === 'upper' ? upper <= bound : lower >= bound) {
    return { count, at: middle(lower, upper, sign, isCustom) }
  }
  // A bound that is not a number is on neither side of anything.
  if (!(end === 'upper' ? lower < bound : upper > bound)) return NOTHING
  if (lower === Number.NEGATIVE_INFINITY) return restWithoutLower(bucket, bound, end)
  // How observations lie between a bound and infinity is not known: they go, or they all are at the bound.
  if (upper === Number.POSITIVE_INFINITY) return end === 'upper' ? NOTHING : { count, at: bound }
  const share = isCustom ? (bound - lower) / (upper - lower) : logarithmicShare(lower, upper, bound)
  const under = count * share
  return end === 'upper'
    ? { count: under, at: middle(lower, bound, sign, isCustom) }
    : { count: count - under, at: middle(bound, upper, sign, isCustom) }
}

/** The first bucket of own bounds: it begins at 0 if it can, as in classic histograms. */
function restWithoutLower({ upper, count }: HistogramBucket, bound: number, end: End): Rest {
  const hasUpper = upper !== Number.POSITIVE_INFINITY
  if (end === 'upper') {
    if (bound > 0 && upper > 0 && hasUpper) return { count: (count * bound) / upper, at: bound / 2 }
    return upper <= 0 ? { count, at: bound } : NOTHING
  }
  if (bound >= 0 && hasUpper) return { count: count * (1 - bound / upper), at: (bound + upper) / 2 }
  return NOTHING
}

function restOfZero(count: number, lower: number, upper: number, bound: number, end: End): Rest {
  const all = { count, at: (lower + upper) / 2 }
  if (end === 'upper') {
    if (bound <= lower) return NOTHING
    if (bound >= upper) return all
    return { count: (count * (bound - lower)) / (upper - lower), at: (lower + bound) / 2 }
  }
  if (bound <= lower) return all
  if (bound >= upper) return NOTHING
  return { count: (count * (upper - bound)) / (upper - lower), at: (bound + upper) / 2 }
}

function middle(lower: number, upper: number, sign: 1 | -1, isCustom: boolean): number {
  if (lower === Number.NEGATIVE_INFINITY) {
    if (upper === Number.POSITIVE_INFINITY) return 0
    return upper > 0 ? upper / 2 : upper
  }
  if (upper === Number.POSITIVE_INFINITY) return lower
  return isCustom ? (lower + upper) / 2 : sign * Math.sqrt(Math.abs(lower * upper))
}
