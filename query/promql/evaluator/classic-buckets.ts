/** One bucket of a classic histogram: how many observations were not above its bound. */
export interface Bucket {
  readonly bound: number
  readonly count: number
}

/** Buckets that quantiles can be told of. */
export interface RepairedBuckets {
  /** Ascending bounds, each once, the last +Inf; counts that do not fall. */
  readonly buckets: readonly Bucket[]
  /** Where counts fell by more than rounding explains, and by how much at most. Null: nowhere. */
  readonly forced: {
    readonly minBound: number
    readonly maxBound: number
    readonly maxDifference: number
  } | null
}

/** Differences up to this share of the counts are taken for rounding. */
const TOLERANCE = 1e-12
const SMALLEST_NORMAL = 2 ** -1022

/** Sorts buckets and adds up those with equal bounds. Null when the last is not +Inf. */
export function mergeBuckets(unsorted: readonly Bucket[]): Bucket[] | null {
  const sorted = [...unsorted].sort((a, b) => (a.bound < b.bound ? -1 : a.bound > b.bound ? 1 : 0))
  if (sorted.at(-1)?.bound !== Number.POSITIVE_INFINITY) return null
  const buckets: Bucket[] = []
  for (const { bound, count } of sorted) {
    const last = buckets.at(-1)
    if (last !== undefined && last.bound === bound)
      buckets[buckets.length - 1] = { bound, count: last.count + count }
    else buckets.push({ bound, count })
  }
  return buckets
}

/** {@link mergeBuckets}, and makes the counts rise, as Prometheus does. Null when the last is not +Inf. */
export function repairBuckets(unsorted: readonly Bucket[]): RepairedBuckets | null {
  const merged = mergeBuckets(unsorted)
  if (merged === null) return null
  let before = merged[0]?.count ?? 0
  let minBound = Number.POSITIVE_INFINITY
  let maxBound = Number.NEGATIVE_INFINITY
  let maxDifference = 0
  const buckets = merged.map(({ bound, count }) => {
    if (count === before) return { bound, count }
    if (isAlmostEqual(before, count)) return { bound, count: before }
    if (count < before) {
      minBound = Math.min(minBound, bound)
      maxBound = Math.max(maxBound, bound)
      maxDifference = Math.max(maxDifference, before - count)
      return { bound, count: before }
    }
    before = count
    return { bound, count }
  })
  const isForced = maxBound !== Number.NEGATIVE_INFINITY
  return { buckets, forced: isForced ? { minBound, maxBound, maxDifference } : null }
}

/** The φ-quantile of repaired buckets (`BucketQuantile`): linear inside a bucket, the second last bound above it. */
export function bucketQuantile(phi: number, buckets: readonly Bucket[]): number {
  if (buckets.length < 2) return Number.NaN
  const observations = countAt(buckets, buckets.length - 1)
  if (observations === 0) return Number.NaN
  let rank = phi * observations
  let index = buckets.findIndex(({ count }) => count >= rank)
  if (index === -1 || index > buckets.length - 1) index = buckets.length - 1
  if (index === buckets.length - 1) return boundAt(buckets, buckets.length - 2)
  const end = boundAt(buckets, index)
  if (index === 0 && end <= 0) return end
  let start = 0
  let count = countAt(buckets, index)
  if (index > 0) {
    start = boundAt(buckets, index - 1)
    count -= countAt(buckets, index - 1)
    rank -= countAt(buckets, index - 1)
  }
  return start + (end - start) * (rank / count)
}

/** The share of observations between two bounds (`BucketFraction`), linear inside a bucket. */
export function bucketFraction(lower: number, upper: number, buckets: readonly Bucket[]): number {
  const observations = countAt(buckets, buckets.length - 1)
  if (observations === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN
  if (lower >= upper) return 0
  return (rankOf(upper, buckets) - rankOf(lower, buckets)) / observations
}

/** How many observations lie below a bound. */
function rankOf(bound: number, buckets: readonly Bucket[]): number {
  let below = 0
  let start = (buckets[0]?.bound ?? 0) > 0 ? 0 : Number.NEGATIVE_INFINITY
  for (const { bound: end, count } of buckets) {
    if (bound <= start) return below
    if (bound < end) {
      // Nothing is known of where in an unbounded bucket observations lie: all at its bound.
      if (start === Number.NEGATIVE_INFINITY) return count
      if (end === Number.POSITIVE_INFINITY) return below
      return below + (count - below) * ((bound - start) / (end - start))
    }
    below = count
    start = end
  }
  return below
}

function isAlmostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true
  if (a === b) return true
  const sum = Math.abs(a) + Math.abs(b)
  const difference = Math.abs(a - b)
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE
}

function boundAt(buckets: readonly Bucket[], index: number): number {
  return buckets[index]?.bound ?? Number.NaN
}

function countAt(buckets: readonly Bucket[], index: number): number {
  return buckets[index]?.count ?? Number.NaN
}
