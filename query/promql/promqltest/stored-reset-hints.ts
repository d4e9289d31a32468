import type { CounterResetHint, FloatHistogram, HistogramSpan } from '../../../model/float-histogram.ts'
import type { SequenceValue } from './parse-series.ts'

/**
 * The samples of a series with the counter reset hints with which Prometheus' storage would give them back. Storage keeps a hint for a run of
 * histograms only: it begins a new run at a reset or where the layout changes, and says of all but the run's first that there was no reset. Of
 * what was written only `gauge` and `reset` count.
 */
export function storedResetHints(values: readonly SequenceValue[]): readonly SequenceValue[] {
  let run: 'none' | 'gauge' | 'counter' = 'none'
  let last: FloatHistogram | null = null
  return values.map((value): SequenceValue => {
    if (value.kind === 'missing') return value
    if (value.kind !== 'histogram') {
      last = null
      // The end of a series of histograms is kept as a histogram, after which a new run begins.
      run = value.kind === 'stale' && run !== 'none' ? 'counter' : 'none'
      return value
    }
    const { histogram } = value
    const counterResetHint: CounterResetHint =
      histogram.counterResetHint === 'gauge' ? 'gauge' : hintAfter(run, last, histogram)
    run = counterResetHint === 'gauge' ? 'gauge' : 'counter'
    last = histogram
    return { ...value, histogram: { ...histogram, counterResetHint } }
  })
}

function hintAfter(
  run: 'none' | 'gauge' | 'counter',
  last: FloatHistogram | null,
  next: FloatHistogram,
): CounterResetHint {
  if (run === 'gauge') return 'unknown'
  if (next.counterResetHint === 'reset') return 'reset'
  if (last === null) return 'unknown'
  if (next.count < last.count) return 'reset'
  if (next.schema !== last.schema || next.zeroThreshold !== last.zeroThreshold) return 'unknown'
  if (String(next.customValues) !== String(last.customValues)) return 'unknown'
  const hasShrunk =
    next.zeroCount < last.zeroCount ||
    isAnyLess(next.positiveSpans, next.positiveBuckets, last.positiveSpans, last.positiveBuckets) ||
    isAnyLess(next.negativeSpans, next.negativeBuckets, last.negativeSpans, last.negativeBuckets)
  return hasShrunk ? 'reset' : 'not_reset'
}

function isAnyLess(
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
  lastSpans: readonly HistogramSpan[],
  lastBuckets: readonly number[],
): boolean {
  const now = countsByIndex(spans, buckets)
  for (const [index, count] of countsByIndex(lastSpans, lastBuckets)) {
    if ((now.get(index) ?? 0) < count) return true
  }
  return false
}

/** The counts of buckets that are not empty, by their index. */
export function countsByIndex(
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  let index = 0
  let at = 0
  for (const { offset, length } of spans) {
    index += offset
    for (let i = 0; i < length; i += 1) {
      const count = buckets[at] ?? 0
      if (count !== 0) counts.set(index, count)
      index += 1
      at += 1
    }
  }
  return counts
}
