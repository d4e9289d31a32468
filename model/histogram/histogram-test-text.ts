import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram, type HistogramSpan } from '../float-histogram.ts'
import { formatFloat } from '../template/format-float.ts'
import { populatedOf, readSide } from './bucket-side.ts'

/**
 * A histogram in the notation of Prometheus' tests: `{{schema:1 count:3 sum:1.5 z_bucket:1 offset:-2 buckets:[1 0 1]}}`. What is 0 is left out; the
 * buckets of a side stand in one list from the first to the last that is not empty.
 */
export function histogramTestText(histogram: FloatHistogram): string {
  const parts: string[] = []
  const number = (key: string, value: number): void => {
    if (value !== 0) parts.push(`${key}:${shortest(value)}`)
  }
  number('schema', histogram.schema)
  number('count', histogram.count)
  number('sum', histogram.sum)
  number('z_bucket', histogram.zeroCount)
  number('z_bucket_w', histogram.zeroThreshold)
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA) {
    parts.push(`custom_values:[${histogram.customValues.map(shortest).join(' ')}]`)
  }
  const { counterResetHint } = histogram
  if (counterResetHint !== 'unknown') parts.push(`counter_reset_hint:${counterResetHint}`)
  parts.push(...sideText('', histogram.positiveSpans, histogram.positiveBuckets))
  parts.push(...sideText('n_', histogram.negativeSpans, histogram.negativeBuckets))
  return `{{${parts.join(' ')}}}`
}

/** More buckets than that are never written out, however far apart the first and the last are. */
const MOST_BUCKETS = 100_000

function sideText(prefix: string, spans: readonly HistogramSpan[], buckets: readonly number[]): string[] {
  const { indexes, counts } = populatedOf(readSide(spans, buckets))
  const first = indexes[0]
  if (first === undefined) return []
  const all: number[] = []
  for (const [i, index] of indexes.entries()) {
    if (index - first > MOST_BUCKETS) break
    while (all.length < index - first) all.push(0)
    all.push(counts[i] ?? 0)
  }
  const list = `${prefix}buckets:[${all.map(shortest).join(' ')}]`
  return first === 0 ? [list] : [`${prefix}offset:${first}`, list]
}

function shortest(value: number): string {
  return formatFloat(value, 'g', -1)
}
