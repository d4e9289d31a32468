/**
 * The buckets of a classic histogram at one moment: how many observations were not above each bound. Only the first `length` count; bounds
 * ascend, each once. It is filled again and again.
 */
export interface ClassicBuckets {
  readonly bounds: Float64Array
  readonly counts: Float64Array
  length: number
}

/** Where counts fell by more than rounding explains, and by how much at most. */
export interface ForcedBuckets {
  readonly minBound: number
  readonly maxBound: number
  readonly maxDifference: number
}

/** Differences up to this share of the counts are taken for rounding. */
const TOLERANCE = 1e-12
const SMALLEST_NORMAL = 2 ** -1022

/** No buckets, with room for so many. */
export function createClassicBuckets(capacity: number): ClassicBuckets {
  return { bounds: new Float64Array(capacity), counts: new Float64Array(capacity), length: 0 }
}

/** Adds a bucket, not below the last; one with the same bound is added up. */
export function addBucket(buckets: ClassicBuckets, bound: number, count: number): void {
  const last = buckets.length - 1
  if (last >= 0 && buckets.bounds[last] === bound) {
    buckets.counts[last] = (buckets.counts[last] as number) + count
    return
  }
  buckets.bounds[last + 1] = bound
  buckets.counts[last + 1] = count
  buckets.length += 1
}

/** Whether the last bucket has everything; of others nothing can be told. */
export function isComplete({ bounds, length }: ClassicBuckets): boolean {
  return length > 0 && bounds[length - 1] === Number.POSITIVE_INFINITY
}

/** Makes the counts rise, as Prometheus does before it tells a quantile. Null: they did. */
export function forceMonotonic({ bounds, counts, length }: ClassicBuckets): ForcedBuckets | null {
  let before = counts[0] as number
  let minBound = Number.POSITIVE_INFINITY
  let maxBound = Number.NEGATIVE_INFINITY
  let maxDifference = 0
  for (let i = 1; i < length; i += 1) {
    const count = counts[i] as number
    if (count === before) continue
    if (isAlmostEqual(before, count)) counts[i] = before
    else if (count < before) {
      counts[i] = before
      minBound = Math.min(minBound, bounds[i] as number)
      maxBound = Math.max(maxBound, bounds[i] as number)
      maxDifference = Math.max(maxDifference, before - count)
    } else before = count
  }
  return maxBound === Number.NEGATIVE_INFINITY ? null : { minBound, maxBound, maxDifference }
}

/** The φ-quantile (0 to 1) of complete buckets whose counts rise (`BucketQuantile`): linear inside a bucket, the second last bound above it. */
export function bucketQuantile(phi: number, { bounds, counts, length }: ClassicBuckets): number {
  if (length < 2) return Number.NaN
  const last = length - 1
  const observations = counts[last] as number
  if (observations === 0) return Number.NaN
  let rank = phi * observations
  let index = 0
  while (index < last && !((counts[index] as number) >= rank)) index += 1
  if (index === last) return bounds[last - 1] as number
  const end = bounds[index] as number
  if (index === 0 && end <= 0) return end
  let start = 0
  let count = counts[index] as number
  if (index > 0) {
    start = bounds[index - 1] as number
    count -= counts[index - 1] as number
    rank -= counts[index - 1] as number
  }
  return start + (end - start) * (rank / count)
}

/** The share of observations of complete buckets between two bounds (`BucketFraction`), linear inside a bucket. */
export function bucketFraction(lower: number, upper: number, buckets: ClassicBuckets): number {
  const observations = buckets.counts[buckets.length - 1] as number
  if (observations === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN
  if (lower >= upper) return 0
  return (rankOf(upper, buckets, observations) - rankOf(lower, buckets, observations)) / observations
}

/** How many observations lie below a bound. */
function rankOf(bound: number, { bounds, counts, length }: ClassicBuckets, observations: number): number {
  let below = 0
  let start = (bounds[0] as number) > 0 ? 0 : Number.NEGATIVE_INFINITY
  for (let i = 0; i < length; i += 1) {
    const end = bounds[i] as number
    const count = counts[i] as number
    if (bound <= start) break
    if (bound < end) {
      // Nothing is known of where in an unbounded bucket observations lie: all at its bound.
      if (start === Number.NEGATIVE_INFINITY) below = count
      else if (end !== Number.POSITIVE_INFINITY) below += ((count - below) * (bound - start)) / (end - start)
      break
    }
    below = count
    start = end
  }
  return Math.min(below, observations)
}

function isAlmostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true
  if (a === b) return true
  const sum = Math.abs(a) + Math.abs(b)
  const difference = Math.abs(a - b)
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE
}
