import type { HistogramSpan } from '../float-histogram.ts'

/** The buckets of one side of a histogram, index by index. */
export interface BucketSide {
  /** Ascending, no two equal. */
  readonly indexes: number[]
  /** One count for each index. */
  readonly counts: number[]
}

/** Spans and buckets as {@link BucketSide}, empty buckets included. Where spans and buckets do not match the shorter counts. */
export function readSide(spans: readonly HistogramSpan[], buckets: readonly number[]): BucketSide {
  const indexes: number[] = []
  let index = 0
  for (const span of spans) {
    index += span.offset
    for (let i = 0; i < span.length && indexes.length < buckets.length; i += 1) {
      indexes.push(index)
      index += 1
    }
  }
  return { indexes, counts: buckets.slice(0, indexes.length) }
}

/** Neighbouring indexes as spans: the only spans with these buckets that have no gap of 0 and no length of 0. */
export function spansOf(indexes: readonly number[]): HistogramSpan[] {
  const spans: { offset: number; length: number }[] = []
  let next = 0
  for (const index of indexes) {
    const last = spans.at(-1)
    if (last !== undefined && index === next) last.length += 1
    else spans.push({ offset: index - next, length: 1 })
    next = index + 1
  }
  return spans
}

/** The buckets that have something in them. */
export function populatedOf(side: BucketSide): BucketSide {
  if (!side.counts.includes(0)) return side
  const indexes: number[] = []
  const counts: number[] = []
  for (let i = 0; i < side.indexes.length; i += 1) {
    const count = side.counts[i] ?? 0
    if (count === 0) continue
    indexes.push(side.indexes[i] ?? 0)
    counts.push(count)
  }
  return { indexes, counts }
}

/** In which bucket of the coarser schema bucket `index` of the finer lies; `shift`: by how many schemas it is coarser. */
export function coarserIndex(index: number, shift: number): number {
  return Math.floor((index - 1) / 2 ** shift) + 1
}

/** A side in a schema coarser by `shift` (0: the side itself). */
export function coarserSide(side: BucketSide, shift: number): BucketSide {
  if (shift === 0) return side
  const indexes: number[] = []
  const counts: number[] = []
  for (let i = 0; i < side.indexes.length; i += 1) {
    const index = coarserIndex(side.indexes[i] ?? 0, shift)
    const count = side.counts[i] ?? 0
    const last = indexes.length - 1
    if (last >= 0 && indexes[last] === index) counts[last] = (counts[last] ?? 0) + count
    else {
      indexes.push(index)
      counts.push(count)
    }
  }
  return { indexes, counts }
}
