import type { FloatHistogram } from '../float-histogram.ts'

/** Everything that is counted, and the sum, times a factor; a negative factor makes a gauge. */
export function scaleHistogram(histogram: FloatHistogram, factor: number): FloatHistogram {
  return {
    ...histogram,
    zeroCount: histogram.zeroCount * factor,
    count: histogram.count * factor,
    sum: histogram.sum * factor,
    positiveBuckets: histogram.positiveBuckets.map((count) => count * factor),
    negativeBuckets: histogram.negativeBuckets.map((count) => count * factor),
    counterResetHint: factor < 0 ? 'gauge' : histogram.counterResetHint,
  }
}

/** Everything that is counted, and the sum, divided; a negative divisor makes a gauge. Division by 0 leaves no buckets, as in Prometheus. */
export function divideHistogram(histogram: FloatHistogram, divisor: number): FloatHistogram {
  const divided = {
    ...histogram,
    zeroCount: histogram.zeroCount / divisor,
    count: histogram.count / divisor,
    sum: histogram.sum / divisor,
  }
  if (divisor === 0) {
    return { ...divided, positiveSpans: [], positiveBuckets: [], negativeSpans: [], negativeBuckets: [] }
  }
  return {
    ...divided,
    positiveBuckets: histogram.positiveBuckets.map((count) => count / divisor),
    negativeBuckets: histogram.negativeBuckets.map((count) => count / divisor),
    counterResetHint: divisor < 0 ? 'gauge' : histogram.counterResetHint,
  }
}

/** The histogram times -1: a gauge. */
export function negateHistogram(histogram: FloatHistogram): FloatHistogram {
  return scaleHistogram(histogram, -1)
}
