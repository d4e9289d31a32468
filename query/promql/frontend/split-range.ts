/** Moments at a regular distance: `startMs`, `startMs + stepMs` … `endMs`, all inclusive. */
export interface Moments {
  readonly startMs: number
  readonly endMs: number
}

/** A part of a range query: what lies in one split of time, or a short query as a whole. */
export interface RangePart extends Moments {
  /** The split it begins in: that one's begin divided by its length. */
  readonly split: number
}

const HOUR_MS = 3_600_000
const LENGTHS_MS = [1, 6, 24, 7 * 24, 28 * 24].map((hours) => hours * HOUR_MS)
/** So many moments make a split worth a statement of its own … */
const LEAST_MOMENTS = 360
/** … and so many windows, as the first window of a split lies before it and is read twice. */
const LEAST_WINDOWS = 8

/** How range queries of one step and window are split. Milliseconds. */
export interface Splits {
  /** Splits are hours, days or weeks since the epoch. Infinity: nothing is split. */
  readonly lengthMs: number
  /** So long must a part be to be worth a statement of its own. */
  readonly leastMs: number
}

/** Chooses the splits of range queries with a step and a widest window, milliseconds. */
export function planSplits(stepMs: number, windowMs: number): Splits {
  const leastMs = Math.max(stepMs * LEAST_MOMENTS, windowMs * LEAST_WINDOWS)
  return { lengthMs: LENGTHS_MS.find((length) => length >= leastMs) ?? Number.POSITIVE_INFINITY, leastMs }
}

/**
 * Splits a range query: every moment of it lies in exactly one part, at the moments of the query's own grid. Parts without moments are left out; in order. A
 * query too short for two parts that are worth it has one, which may reach over the end of its split.
 */
export function splitRange(
  { startMs, endMs, stepMs }: Moments & { readonly stepMs: number },
  { lengthMs, leastMs }: Splits,
): RangePart[] {
  if (endMs < startMs) return []
  const lastMs = startMs + Math.floor((endMs - startMs) / stepMs) * stepMs
  if (lengthMs === Number.POSITIVE_INFINITY) return [{ split: 0, startMs, endMs: lastMs }]
  if (lastMs - startMs < 2 * leastMs) {
    return [{ split: Math.floor(startMs / lengthMs), startMs, endMs: lastMs }]
  }
  const parts: RangePart[] = []
  for (let firstMs = startMs; firstMs <= lastMs; ) {
    const split = Math.floor(firstMs / lengthMs)
    const nextSplitMs = (split + 1) * lengthMs
    const nextMs = Math.min(firstMs + Math.ceil((nextSplitMs - firstMs) / stepMs) * stepMs, lastMs + stepMs)
    parts.push({ split, startMs: firstMs, endMs: nextMs - stepMs })
    firstMs = nextMs
  }
  return parts
}
