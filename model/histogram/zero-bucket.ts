import type { FloatHistogram, HistogramSpan } from '../float-histogram.ts'
import { exponentialBound } from './bucket-bound.ts'
import type { BucketSide } from './bucket-side.ts'

/** What a wider zero bucket takes in. */
export interface WidenedZeroBucket {
  readonly threshold: number
  /** How many of the first buckets of each side it covers. */
  readonly positive: number
  readonly negative: number
}

/**
 * How a zero bucket that is to reach at least to `threshold` comes out: a populated bucket that the threshold would cut is taken in whole and the
 * threshold moves to its outer bound, again and again, until no populated bucket is cut on either side.
 */
export function widenZeroBucket(
  schema: number,
  positive: BucketSide,
  negative: BucketSide,
  threshold: number,
): WidenedZeroBucket {
  for (;;) {
    const outer = outerBound(schema, negative, outerBound(schema, positive, threshold))
    if (!(outer > threshold)) break
    threshold = outer
  }
  return {
    threshold,
    positive: covered(schema, positive, threshold),
    negative: covered(schema, negative, threshold),
  }
}

/** Whether the buckets of a side all end outside the zero bucket. */
export function isOutsideZeroBucket(
  [first]: readonly HistogramSpan[],
  { schema, zeroThreshold }: Pick<FloatHistogram, 'schema' | 'zeroThreshold'>,
): boolean {
  return first === undefined || zeroThreshold === 0 || exponentialBound(first.offset, schema) > zeroThreshold
}

/** The outer bound of the populated bucket that the threshold cuts, or the threshold. */
function outerBound(schema: number, side: BucketSide, threshold: number): number {
  for (let i = 0; i < side.indexes.length; i += 1) {
    const index = side.indexes[i] ?? 0
    if (exponentialBound(index - 1, schema) >= threshold) break
    const upper = exponentialBound(index, schema)
    if (upper > threshold) return side.counts[i] === 0 ? threshold : upper
  }
  return threshold
}

function covered(schema: number, side: BucketSide, threshold: number): number {
  const first = side.indexes.findIndex((index) => exponentialBound(index - 1, schema) >= threshold)
  return first === -1 ? side.indexes.length : first
}
