import type { FloatHistogram } from '../../model/float-histogram.ts'

const HEAD_BYTES = 168
const ENTRY_BYTES = 8
const NUMBER_BYTES = 16

/** How many numbers' room a native histogram takes when samples are counted (`HPoint.size` of Prometheus). */
export function sampleSize(histogram: FloatHistogram): number {
  return sizeOfEntries(
    histogram.positiveSpans.length +
      histogram.negativeSpans.length +
      histogram.positiveBuckets.length +
      histogram.negativeBuckets.length +
      histogram.customValues.length,
  )
}

/** The same of a histogram with so many spans, buckets and bounds of its own together. */
export function sizeOfEntries(entries: number): number {
  return Math.trunc((HEAD_BYTES + ENTRY_BYTES * entries + ENTRY_BYTES) / NUMBER_BYTES)
}
