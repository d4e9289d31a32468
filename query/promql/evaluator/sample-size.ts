import type { FloatHistogram } from '../../../model/float-histogram.ts'

const HEAD_BYTES = 168
const ENTRY_BYTES = 8
const NUMBER_BYTES = 16

/** How many numbers' room a native histogram takes when samples are counted (`HPoint.size` of Prometheus). */
export function sampleSize(histogram: FloatHistogram): number {
  const entries =
    histogram.positiveSpans.length +
    histogram.negativeSpans.length +
    histogram.positiveBuckets.length +
    histogram.negativeBuckets.length +
    histogram.customValues.length
  return Math.trunc((HEAD_BYTES + ENTRY_BYTES * entries + ENTRY_BYTES) / NUMBER_BYTES)
}
