import { EMPTY_HISTOGRAM, type FloatHistogram } from '../../model/float-histogram.ts'

/**
 * The native histogram that counts observations one by one: each goes into the bucket whose bounds hold it, found by trying bucket after bucket.
 * Observations are finite and between 2^-40 and 2^40 (or their negatives), or 0.
 */
export function observedHistogram(
  observations: readonly number[],
  schema: number,
  zeroThreshold: number,
): FloatHistogram {
  const positive = new Map<number, number>()
  const negative = new Map<number, number>()
  let zeroCount = 0
  for (const value of observations) {
    const magnitude = Math.abs(value)
    if (magnitude <= zeroThreshold) zeroCount += 1
    else {
      const side = value > 0 ? positive : negative
      const index = bucketIndex(magnitude, schema)
      side.set(index, (side.get(index) ?? 0) + 1)
    }
  }
  return {
    ...EMPTY_HISTOGRAM,
    schema,
    zeroThreshold,
    zeroCount,
    count: observations.length,
    sum: observations.reduce((sum, value) => sum + value, 0),
    ...side('positive', positive),
    ...side('negative', negative),
  }
}

function bucketIndex(magnitude: number, schema: number): number {
  const perOctave = 2 ** schema
  let index = Math.floor(Math.log2(magnitude) * perOctave) - 2
  while (2 ** (index / perOctave) < magnitude) index += 1
  return index
}

function side(name: 'positive' | 'negative', counts: ReadonlyMap<number, number>): Partial<FloatHistogram> {
  const spans: { offset: number; length: number }[] = []
  const buckets: number[] = []
  let next = 0
  for (const [index, count] of [...counts].sort(([a], [b]) => a - b)) {
    const last = spans.at(-1)
    if (last !== undefined && index === next) last.length += 1
    else spans.push({ offset: index - next, length: 1 })
    buckets.push(count)
    next = index + 1
  }
  return name === 'positive'
    ? { positiveSpans: spans, positiveBuckets: buckets }
    : { negativeSpans: spans, negativeBuckets: buckets }
}
