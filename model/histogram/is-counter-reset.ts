import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram, type HistogramSpan } from '../float-histogram.ts'
import { exponentialBound } from './bucket-bound.ts'
import { type BucketSide, coarserSide, readSide } from './bucket-side.ts'
import { areBoundsEqual, bucketAmong, commonBounds } from './custom-bounds.ts'
import { isOutsideZeroBucket, widenZeroBucket } from './zero-bucket.ts'

/**
 * Whether the counter behind a native histogram began anew between two samples (`DetectReset` of Prometheus): the hint of the current one says so,
 * or it does not say and any count went down, a finer schema or a narrower zero bucket came, a populated bucket would be cut by the new zero bucket.
 * A gauge is treated like a counter.
 */
export function isCounterReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.counterResetHint === 'reset') return true
  if (current.counterResetHint === 'not_reset') return false
  if (current.count < previous.count) return true
  if (current.schema > previous.schema) return true
  if (hasSameLayout(current, previous)) {
    return (
      current.zeroCount < previous.zeroCount ||
      isAnyLess(current.positiveBuckets, previous.positiveBuckets) ||
      isAnyLess(current.negativeBuckets, previous.negativeBuckets)
    )
  }
  const currentPositive = readSide(current.positiveSpans, current.positiveBuckets)
  const previousPositive = readSide(previous.positiveSpans, previous.positiveBuckets)
  if (current.schema === CUSTOM_BUCKETS_SCHEMA) {
    if (previous.schema !== CUSTOM_BUCKETS_SCHEMA) return true
    const common = areBoundsEqual(current.customValues, previous.customValues)
      ? null
      : commonBounds(current.customValues, previous.customValues)
    return hasDropped(
      common === null ? currentPositive : mapped(currentPositive, current.customValues, common),
      common === null ? previousPositive : mapped(previousPositive, previous.customValues, common),
    )
  }
  if (current.zeroThreshold < previous.zeroThreshold) return true
  const previousNegative = readSide(previous.negativeSpans, previous.negativeBuckets)
  let previousZeroCount = previous.zeroCount
  if (current.zeroThreshold > previous.zeroThreshold) {
    const { schema } = previous
    const wide = widenZeroBucket(schema, previousPositive, previousNegative, current.zeroThreshold)
    if (wide.threshold !== current.zeroThreshold) return true
    for (let i = 0; i < wide.positive; i += 1) previousZeroCount += previousPositive.counts[i] ?? 0
    for (let i = 0; i < wide.negative; i += 1) previousZeroCount += previousNegative.counts[i] ?? 0
  }
  if (current.zeroCount < previousZeroCount) return true
  const { zeroThreshold, schema } = current
  const shift = previous.schema - schema
  const outside = (side: BucketSide, by: number): BucketSide =>
    outsideZeroBucket(coarserSide(side, by), zeroThreshold, schema)
  return (
    hasDropped(outside(currentPositive, 0), outside(previousPositive, shift)) ||
    hasDropped(
      outside(readSide(current.negativeSpans, current.negativeBuckets), 0),
      outside(previousNegative, shift),
    )
  )
}

/** Whether buckets can be compared place by place, as they mostly can: the same spans, with all buckets outside the zero bucket. */
function hasSameLayout(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    a.schema !== CUSTOM_BUCKETS_SCHEMA &&
    a.zeroThreshold === b.zeroThreshold &&
    areSpansSame(a.positiveSpans, b.positiveSpans) &&
    areSpansSame(a.negativeSpans, b.negativeSpans) &&
    a.positiveBuckets.length === b.positiveBuckets.length &&
    a.negativeBuckets.length === b.negativeBuckets.length &&
    isOutsideZeroBucket(a.positiveSpans, a) &&
    isOutsideZeroBucket(a.negativeSpans, a)
  )
}

function areSpansSame(a: readonly HistogramSpan[], b: readonly HistogramSpan[]): boolean {
  if (a === b) return true
  return (
    a.length === b.length &&
    a.every(({ offset, length }, i) => offset === b[i]?.offset && length === b[i]?.length)
  )
}

function isAnyLess(current: readonly number[], previous: readonly number[]): boolean {
  for (let i = 0; i < current.length; i += 1)
    if ((current[i] as number) < (previous[i] as number)) return true
  return false
}

/** Whether any bucket has less in it than before; a missing bucket has nothing. */
function hasDropped(current: BucketSide, previous: BucketSide): boolean {
  let at = 0
  for (let i = 0; i < previous.indexes.length; i += 1) {
    const index = previous.indexes[i] ?? 0
    while (at < current.indexes.length && (current.indexes[at] ?? 0) < index) at += 1
    const before = previous.counts[i] ?? 0
    // Prometheus looks no further than at the first bucket for which the current one has none left.
    if (at === current.indexes.length) return before !== 0
    if (current.indexes[at] === index ? (current.counts[at] ?? 0) < before : before !== 0) return true
  }
  return false
}

function outsideZeroBucket(side: BucketSide, threshold: number, schema: number): BucketSide {
  if (threshold === 0) return side
  let from = 0
  while (from < side.indexes.length && exponentialBound(side.indexes[from] ?? 0, schema) <= threshold) {
    from += 1
  }
  return from === 0 ? side : { indexes: side.indexes.slice(from), counts: side.counts.slice(from) }
}

function mapped(side: BucketSide, bounds: readonly number[], common: readonly number[]): BucketSide {
  const counts = new Array<number>(common.length + 1).fill(0)
  side.indexes.forEach((index, i) => {
    const target = bucketAmong(common, bounds, index)
    counts[target] = (counts[target] ?? 0) + (side.counts[i] ?? 0)
  })
  return { indexes: counts.map((_, i) => i), counts }
}
