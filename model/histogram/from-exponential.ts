import { EMPTY_HISTOGRAM, type FloatHistogram } from '../float-histogram.ts'
import { COARSEST_SCHEMA, FINEST_SCHEMA } from './bucket-bound.ts'
import { type BucketSide, coarserSide, populatedOf, spansOf } from './bucket-side.ts'

/** Buckets of one side of an OTLP exponential histogram: bucket `offset` + i holds counts[i]. */
export interface ExponentialBuckets {
  readonly offset: number
  readonly counts: ArrayLike<number>
}

/** A data point of an OTLP exponential histogram. */
export interface ExponentialPoint {
  readonly scale: number
  readonly count: number
  readonly sum: number
  readonly zeroCount: number
  readonly zeroThreshold: number
  readonly positive: ExponentialBuckets
  readonly negative: ExponentialBuckets
}

/** Prometheus takes that for a point that names no zero threshold. */
export const DEFAULT_ZERO_THRESHOLD = 1e-128

/**
 * An OTLP exponential histogram as a native one (the rules of Prometheus' OTLP endpoint): scales finer than 8 are made coarser; null when the scale is
 * coarser than -4. Bucket i of OTLP is (base^i, base^(i+1)], bucket i of Prometheus (base^(i-1), base^i]. Empty buckets are left out.
 */
export function fromExponential(point: ExponentialPoint): FloatHistogram | null {
  if (point.scale < COARSEST_SCHEMA) return null
  const schema = Math.min(FINEST_SCHEMA, point.scale)
  const shift = point.scale - schema
  const positive = toSide(point.positive, shift)
  const negative = toSide(point.negative, shift)
  return {
    ...EMPTY_HISTOGRAM,
    schema,
    zeroThreshold: point.zeroThreshold === 0 ? DEFAULT_ZERO_THRESHOLD : point.zeroThreshold,
    zeroCount: point.zeroCount,
    count: point.count,
    sum: point.sum,
    positiveSpans: spansOf(positive.indexes),
    positiveBuckets: positive.counts,
    negativeSpans: spansOf(negative.indexes),
    negativeBuckets: negative.counts,
  }
}

function toSide(buckets: ExponentialBuckets, shift: number): BucketSide {
  const counts = Array.from(buckets.counts)
  const indexes = counts.map((_, i) => buckets.offset + 1 + i)
  return coarserSide(populatedOf({ indexes, counts }), shift)
}
