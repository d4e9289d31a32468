import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram, type HistogramSpan } from '../float-histogram.ts'
import { readSide } from './bucket-side.ts'
import { areBoundsEqual } from './custom-bounds.ts'

/**
 * Whether two histograms hold the same data: the same layout (an empty bucket and a missing one differ; how buckets are cut into spans does not
 * matter) and the same numbers bit by bit, so that a NaN equals itself and 0 differs from -0. The counter reset hint is not compared.
 */
export function histogramEquals(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a === b ||
    (a.schema === b.schema &&
      Object.is(a.count, b.count) &&
      Object.is(a.sum, b.sum) &&
      (a.schema !== CUSTOM_BUCKETS_SCHEMA || areBoundsEqual(a.customValues, b.customValues)) &&
      a.zeroThreshold === b.zeroThreshold &&
      Object.is(a.zeroCount, b.zeroCount) &&
      areSame(a.negativeBuckets, b.negativeBuckets) &&
      areSame(a.positiveBuckets, b.positiveBuckets) &&
      areSpansSame(a.negativeSpans, b.negativeSpans, a.negativeBuckets) &&
      areSpansSame(a.positiveSpans, b.positiveSpans, a.positiveBuckets))
  )
}

function areSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]))
}

function areSpansSame(
  a: readonly HistogramSpan[],
  b: readonly HistogramSpan[],
  buckets: readonly number[],
): boolean {
  return a === b || areSame(readSide(a, buckets).indexes, readSide(b, buckets).indexes)
}
