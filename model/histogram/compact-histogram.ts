import type { FloatHistogram } from '../float-histogram.ts'
import { populatedOf, readSide, spansOf } from './bucket-side.ts'

/** The histogram without empty buckets, with as few spans as possible (`Compact(0)` of Prometheus). */
export function compactHistogram(histogram: FloatHistogram): FloatHistogram {
  if (!canShrink(histogram)) return histogram
  const positive = populatedOf(readSide(histogram.positiveSpans, histogram.positiveBuckets))
  const negative = populatedOf(readSide(histogram.negativeSpans, histogram.negativeBuckets))
  return {
    ...histogram,
    positiveSpans: spansOf(positive.indexes),
    positiveBuckets: positive.counts,
    negativeSpans: spansOf(negative.indexes),
    negativeBuckets: negative.counts,
  }
}

function canShrink(histogram: FloatHistogram): boolean {
  if (histogram.positiveBuckets.includes(0) || histogram.negativeBuckets.includes(0)) return true
  return [histogram.positiveSpans, histogram.negativeSpans].some((spans) =>
    spans.some((span, i) => span.length === 0 || (i > 0 && span.offset <= 0)),
  )
}
