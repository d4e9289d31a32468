import {
  type CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
  type HistogramSpan,
} from '../float-histogram.ts'
import { exponentialBound } from './bucket-bound.ts'
import { type BucketSide, coarserIndex, coarserSide, readSide, spansOf } from './bucket-side.ts'
import { areBoundsEqual, bucketAmong, commonBounds } from './custom-bounds.ts'
import { isOutsideZeroBucket, widenZeroBucket } from './zero-bucket.ts'

/** A running number with what its roundings lost so far (Neumaier's form of Kahan's sum). */
interface Running {
  value: number
  lost: number
}

interface RunningSide {
  indexes: number[]
  counts: number[]
  /** What the roundings of each count lost. */
  lost: number[]
}

/** A histogram that others are being added to. */
export interface HistogramAccumulator {
  schema: number
  customValues: readonly number[]
  zeroThreshold: number
  counterResetHint: CounterResetHint
  readonly zeroCount: Running
  readonly count: Running
  readonly sum: Running
  positive: RunningSide
  negative: RunningSide
  /** A reset and "not a reset" came together in one addition. */
  hasResetCollision: boolean
  /** Histograms with different bounds were brought to the bounds they have in common. */
  wereBoundsReconciled: boolean
}

/** Starts with one histogram. */
export function createAccumulator(histogram: FloatHistogram): HistogramAccumulator {
  return {
    schema: histogram.schema,
    customValues: histogram.customValues,
    zeroThreshold: histogram.zeroThreshold,
    counterResetHint: histogram.counterResetHint,
    zeroCount: { value: histogram.zeroCount, lost: 0 },
    count: { value: histogram.count, lost: 0 },
    sum: { value: histogram.sum, lost: 0 },
    positive: startSide(readSide(histogram.positiveSpans, histogram.positiveBuckets)),
    negative: startSide(readSide(histogram.negativeSpans, histogram.negativeBuckets)),
    hasResetCollision: false,
    wereBoundsReconciled: false,
  }
}

/**
 * Adds `sign` times a histogram, as `KahanAdd` of Prometheus 3.14: the coarser schema counts; the wider zero bucket counts and takes in what
 * lies in it; different own bounds are reduced to the common ones. False, and nothing has changed, when one has its own bounds and the other not.
 */
export function accumulate(into: HistogramAccumulator, histogram: FloatHistogram, sign: 1 | -1 = 1): boolean {
  const isCustom = into.schema === CUSTOM_BUCKETS_SCHEMA
  if (isCustom !== (histogram.schema === CUSTOM_BUCKETS_SCHEMA)) return false
  joinHints(into, histogram.counterResetHint)
  addNumber(into.count, sign * histogram.count)
  addNumber(into.sum, sign * histogram.sum)
  if (!isCustom && hasPlacesFor(into, histogram)) {
    addNumber(into.zeroCount, sign * histogram.zeroCount)
    addInPlace(into.positive, histogram.positiveSpans, histogram.positiveBuckets, sign)
    addInPlace(into.negative, histogram.negativeSpans, histogram.negativeBuckets, sign)
    return true
  }
  const positive = readSide(histogram.positiveSpans, histogram.positiveBuckets)
  const negative = readSide(histogram.negativeSpans, histogram.negativeBuckets)
  if (isCustom) addCustom(into, histogram, positive, sign)
  else addExponential(into, histogram, positive, negative, sign)
  return true
}

/** Multiplies or divides everything that is counted, and the sum; `scale` is to be linear. */
export function scaleAccumulator(accumulator: HistogramAccumulator, scale: (value: number) => number): void {
  for (const running of [accumulator.zeroCount, accumulator.count, accumulator.sum]) {
    running.value = scale(running.value)
    running.lost = scale(running.lost)
  }
  for (const side of [accumulator.positive, accumulator.negative]) {
    side.counts = side.counts.map(scale)
    side.lost = side.lost.map(scale)
  }
}

/** What has come together, empty buckets included. */
export function accumulated(accumulator: HistogramAccumulator): FloatHistogram {
  const { positive, negative, zeroCount, count, sum } = accumulator
  return {
    schema: accumulator.schema,
    zeroThreshold: accumulator.zeroThreshold,
    zeroCount: zeroCount.value + zeroCount.lost,
    count: count.value + count.lost,
    sum: sum.value + sum.lost,
    positiveSpans: spansOf(positive.indexes),
    positiveBuckets: positive.counts.map((value, i) => value + (positive.lost[i] ?? 0)),
    negativeSpans: spansOf(negative.indexes),
    negativeBuckets: negative.counts.map((value, i) => value + (negative.lost[i] ?? 0)),
    customValues: accumulator.customValues,
    counterResetHint: accumulator.counterResetHint,
  }
}

/** Whether nothing has to be reconciled, and every bucket has a place already: so it mostly is with histograms of one metric. */
function hasPlacesFor(into: HistogramAccumulator, histogram: FloatHistogram): boolean {
  const { schema, zeroThreshold, positiveSpans, positiveBuckets, negativeSpans, negativeBuckets } = histogram
  if (schema !== into.schema || zeroThreshold !== into.zeroThreshold) return false
  return (
    isOutsideZeroBucket(positiveSpans, histogram) &&
    isOutsideZeroBucket(negativeSpans, histogram) &&
    hasPlaces(into.positive.indexes, positiveSpans, positiveBuckets.length) &&
    hasPlaces(into.negative.indexes, negativeSpans, negativeBuckets.length)
  )
}

/** Whether the indexes of `count` buckets, which is how many the spans must have, are all there. */
function hasPlaces(indexes: readonly number[], spans: readonly HistogramSpan[], count: number): boolean {
  let at = 0
  let index = 0
  let seen = 0
  for (const { offset, length } of spans) {
    index += offset
    for (let i = 0; i < length; i += 1) {
      while (at < indexes.length && (indexes[at] as number) < index) at += 1
      if (indexes[at] !== index) return false
      index += 1
    }
    seen += length
  }
  return seen === count
}

function addInPlace(
  side: RunningSide,
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
  sign: 1 | -1,
): void {
  let at = 0
  let index = 0
  let next = 0
  for (const { offset, length } of spans) {
    index += offset
    for (let i = 0; i < length; i += 1) {
      while (side.indexes[at] !== index) at += 1
      addAt(side, at, sign * (buckets[next] as number))
      next += 1
      index += 1
    }
  }
}

function addExponential(
  into: HistogramAccumulator,
  histogram: FloatHistogram,
  positive: BucketSide,
  negative: BucketSide,
  sign: 1 | -1,
): void {
  const zeroCount = reconcileZeroBuckets(into, histogram, positive, negative)
  addNumber(into.zeroCount, sign * zeroCount)
  const schema = Math.min(into.schema, histogram.schema)
  const ownShift = into.schema - schema
  into.positive = coarserRunning(into.positive, ownShift)
  into.negative = coarserRunning(into.negative, ownShift)
  into.schema = schema
  const shift = histogram.schema - schema
  into.positive = addSide(into, into.positive, coarserSide(positive, shift), sign)
  into.negative = addSide(into, into.negative, coarserSide(negative, shift), sign)
}

/** Widens the zero bucket of `into` until both can have the same one; gives the zero count of the histogram with that bucket. */
function reconcileZeroBuckets(
  into: HistogramAccumulator,
  histogram: FloatHistogram,
  positive: BucketSide,
  negative: BucketSide,
): number {
  let threshold = histogram.zeroThreshold
  let zeroCount = histogram.zeroCount
  while (threshold !== into.zeroThreshold) {
    if (into.zeroThreshold > threshold) {
      const wide = widenZeroBucket(histogram.schema, positive, negative, into.zeroThreshold)
      threshold = wide.threshold
      const taken = { value: histogram.zeroCount, lost: 0 }
      for (let i = 0; i < wide.positive; i += 1) addNumber(taken, positive.counts[i] ?? 0)
      for (let i = 0; i < wide.negative; i += 1) addNumber(taken, negative.counts[i] ?? 0)
      zeroCount = taken.value + taken.lost
    }
    if (threshold > into.zeroThreshold) widenOwn(into, threshold)
    // A threshold that is not a number never becomes equal to another.
    if (Number.isNaN(threshold) || Number.isNaN(into.zeroThreshold)) break
  }
  return zeroCount
}

function widenOwn(into: HistogramAccumulator, threshold: number): void {
  const wide = widenZeroBucket(into.schema, into.positive, into.negative, threshold)
  into.zeroThreshold = wide.threshold
  for (const [side, taken] of [
    [into.positive, wide.positive],
    [into.negative, wide.negative],
  ] as const) {
    for (let i = 0; i < taken; i += 1) {
      addNumber(into.zeroCount, side.counts[i] ?? 0)
      addNumber(into.zeroCount, side.lost[i] ?? 0)
    }
    side.indexes.splice(0, taken)
    side.counts.splice(0, taken)
    side.lost.splice(0, taken)
  }
}

/** Buckets that end within the zero bucket have been counted there. */
function addSide(into: HistogramAccumulator, own: RunningSide, side: BucketSide, sign: 1 | -1): RunningSide {
  let from = 0
  if (into.zeroThreshold > 0) {
    const isInside = (index: number): boolean => exponentialBound(index, into.schema) <= into.zeroThreshold
    while (from < side.indexes.length && isInside(side.indexes[from] ?? 0)) from += 1
  }
  return mergeSide(own, side, from, sign)
}

function mergeSide(own: RunningSide, side: BucketSide, from: number, sign: 1 | -1): RunningSide {
  const merged = hasAll(own.indexes, side.indexes, from) ? own : withPlaces(own, side.indexes, from)
  let at = 0
  for (let i = from; i < side.indexes.length; i += 1) {
    const index = side.indexes[i]
    while (merged.indexes[at] !== index) at += 1
    addAt(merged, at, sign * (side.counts[i] ?? 0))
  }
  return merged
}

function hasAll(own: readonly number[], indexes: readonly number[], from: number): boolean {
  let at = 0
  for (let i = from; i < indexes.length; i += 1) {
    const index = indexes[i] ?? 0
    while (at < own.length && (own[at] ?? 0) < index) at += 1
    if (own[at] !== index) return false
  }
  return true
}

function withPlaces(own: RunningSide, indexes: readonly number[], from: number): RunningSide {
  const merged: RunningSide = { indexes: [], counts: [], lost: [] }
  let at = 0
  const takeOwn = (): void => {
    merged.indexes.push(own.indexes[at] ?? 0)
    merged.counts.push(own.counts[at] ?? 0)
    merged.lost.push(own.lost[at] ?? 0)
    at += 1
  }
  for (let i = from; i < indexes.length; i += 1) {
    const index = indexes[i] ?? 0
    while (at < own.indexes.length && (own.indexes[at] ?? 0) < index) takeOwn()
    if (own.indexes[at] === index) continue
    merged.indexes.push(index)
    merged.counts.push(0)
    merged.lost.push(0)
  }
  while (at < own.indexes.length) takeOwn()
  return merged
}

function addCustom(
  into: HistogramAccumulator,
  histogram: FloatHistogram,
  side: BucketSide,
  sign: 1 | -1,
): void {
  if (areBoundsEqual(into.customValues, histogram.customValues)) {
    into.positive = mergeSide(into.positive, side, 0, sign)
    return
  }
  const common = commonBounds(into.customValues, histogram.customValues)
  const mapped: RunningSide = {
    indexes: Array.from({ length: common.length + 1 }, (_, i) => i),
    counts: new Array<number>(common.length + 1).fill(0),
    lost: new Array<number>(common.length + 1).fill(0),
  }
  into.positive.indexes.forEach((index, i) => {
    const target = bucketAmong(common, into.customValues, index)
    addAt(mapped, target, into.positive.counts[i] ?? 0)
    addAt(mapped, target, into.positive.lost[i] ?? 0)
  })
  side.indexes.forEach((index, i) => {
    addAt(mapped, bucketAmong(common, histogram.customValues, index), sign * (side.counts[i] ?? 0))
  })
  into.positive = withoutEmpty(mapped)
  into.customValues = common
  into.wereBoundsReconciled = true
}

function withoutEmpty(side: RunningSide): RunningSide {
  const isKept = (_: number, i: number): boolean => side.counts[i] !== 0 || side.lost[i] !== 0
  return {
    indexes: side.indexes.filter(isKept),
    counts: side.counts.filter(isKept),
    lost: side.lost.filter(isKept),
  }
}

function startSide(side: BucketSide): RunningSide {
  return { ...side, lost: new Array<number>(side.indexes.length).fill(0) }
}

function coarserRunning(side: RunningSide, shift: number): RunningSide {
  if (shift === 0) return side
  const coarser: RunningSide = { indexes: [], counts: [], lost: [] }
  for (let i = 0; i < side.indexes.length; i += 1) {
    const index = coarserIndex(side.indexes[i] ?? 0, shift)
    const last = coarser.indexes.length - 1
    if (coarser.indexes[last] === index) {
      addAt(coarser, last, side.counts[i] ?? 0)
      addAt(coarser, last, side.lost[i] ?? 0)
    } else {
      coarser.indexes.push(index)
      coarser.counts.push(side.counts[i] ?? 0)
      coarser.lost.push(side.lost[i] ?? 0)
    }
  }
  return coarser
}

function addAt(side: RunningSide, at: number, value: number): void {
  const before = side.counts[at] ?? 0
  const after = before + value
  side.lost[at] = lostBy(before, value, after, side.lost[at] ?? 0)
  side.counts[at] = after
}

function addNumber(running: Running, value: number): void {
  const after = running.value + value
  running.lost = lostBy(running.value, value, after, running.lost)
  running.value = after
}

/** What has been lost after `before + value` was rounded to `after`. */
function lostBy(before: number, value: number, after: number, lost: number): number {
  if (after === Number.POSITIVE_INFINITY || after === Number.NEGATIVE_INFINITY) return 0
  if (Math.abs(before) >= Math.abs(value)) return lost + (before - after + value)
  return lost + (value - after + before)
}

/** A gauge makes a gauge; otherwise what is not the same is not known. */
function joinHints(into: HistogramAccumulator, hint: CounterResetHint): void {
  const own = into.counterResetHint
  if (own === hint) return
  if (own === 'gauge' || hint === 'gauge') into.counterResetHint = 'gauge'
  else {
    into.counterResetHint = 'unknown'
    if (own !== 'unknown' && hint !== 'unknown') into.hasResetCollision = true
  }
}
