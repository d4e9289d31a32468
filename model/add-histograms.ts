import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram, type HistogramSpan } from './float-histogram.ts'

/**
 * `a + factor · b`, in the coarser schema of the two, buckets that came out empty left out. The wider zero bucket counts; buckets that lie inside
 * it are not merged into it. Null when one has its own bounds and the other has not or has others.
 */
export function addHistograms(a: FloatHistogram, b: FloatHistogram, factor: number): FloatHistogram | null {
  const isCustom = a.schema === CUSTOM_BUCKETS_SCHEMA
  if (isCustom !== (b.schema === CUSTOM_BUCKETS_SCHEMA)) return null
  if (isCustom && String(a.customValues) !== String(b.customValues)) return null
  const schema = Math.min(a.schema, b.schema)
  const positive = new Map<number, number>()
  const negative = new Map<number, number>()
  for (const [histogram, weight] of [
    [a, 1],
    [b, factor],
  ] as const) {
    const shift = histogram.schema - schema
    collect(positive, histogram.positiveSpans, histogram.positiveBuckets, shift, weight)
    collect(negative, histogram.negativeSpans, histogram.negativeBuckets, shift, weight)
  }
  const [positiveSpans, positiveBuckets] = toSpans(positive)
  const [negativeSpans, negativeBuckets] = toSpans(negative)
  return {
    schema,
    zeroThreshold: Math.max(a.zeroThreshold, b.zeroThreshold),
    zeroCount: a.zeroCount + factor * b.zeroCount,
    count: a.count + factor * b.count,
    sum: a.sum + factor * b.sum,
    positiveSpans,
    positiveBuckets,
    negativeSpans,
    negativeBuckets,
    customValues: a.customValues,
    counterResetHint: a.counterResetHint,
  }
}

function collect(
  into: Map<number, number>,
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
  shift: number,
  weight: number,
): void {
  let index = 0
  let at = 0
  for (const span of spans) {
    index += span.offset
    for (let i = 0; i < span.length; i += 1) {
      // Halving the resolution merges buckets 2n-1 and 2n into n.
      const target = shift === 0 ? index : ((index - 1) >> shift) + 1
      into.set(target, (into.get(target) ?? 0) + weight * (buckets[at] ?? 0))
      index += 1
      at += 1
    }
  }
}

function toSpans(counts: ReadonlyMap<number, number>): [HistogramSpan[], number[]] {
  const spans: { offset: number; length: number }[] = []
  const buckets: number[] = []
  let next = 0
  for (const [index, count] of [...counts].sort(([x], [y]) => x - y)) {
    if (count === 0) continue
    const last = spans.at(-1)
    if (last !== undefined && index === next) last.length += 1
    else spans.push({ offset: index - next, length: 1 })
    buckets.push(count)
    next = index + 1
  }
  return [spans, buckets]
}
