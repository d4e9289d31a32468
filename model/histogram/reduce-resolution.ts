import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../float-histogram.ts'
import { coarserSide, readSide, spansOf } from './bucket-side.ts'

/** The histogram in a coarser schema; unchanged when `schema` is not coarser than its own or it has its own bounds. */
export function reduceResolution(histogram: FloatHistogram, schema: number): FloatHistogram {
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA || schema >= histogram.schema) return histogram
  const shift = histogram.schema - schema
  const positive = coarserSide(readSide(histogram.positiveSpans, histogram.positiveBuckets), shift)
  const negative = coarserSide(readSide(histogram.negativeSpans, histogram.negativeBuckets), shift)
  return {
    ...histogram,
    schema,
    positiveSpans: spansOf(positive.indexes),
    positiveBuckets: positive.counts,
    negativeSpans: spansOf(negative.indexes),
    negativeBuckets: negative.counts,
  }
}
