/** Moments at a regular distance: `startMs`, `startMs + stepMs` … `endMs`, all inclusive. */
export interface Moments {
  readonly startMs: number
  readonly endMs: number
}

/** The part of a range query that lies in one split of time. */
export interface RangePart extends Moments {
  /** Which split: its begin divided by its length. */
  readonly split: number
}

const HOUR_MS = 3_600_000
const LENGTHS_MS = [1, 6, 24, 7 * 24, 28 * 24].map((hours) => hours * HOUR_MS)
/** So many moments make a split worth a statement of its own … */
const LEAST_MOMENTS = 360
/** … and so many windows, as the first window of a split lies before it and is read twice. */
const LEAST_WINDOWS = 8

/**
 * How long the splits of a range query are, milliseconds: hours, days or weeks since the epoch. Infinity: it is not split.
 */
export function splitLength(stepMs: number, windowMs: number): number {
  const least = Math.max(stepMs * LEAST_MOMENTS, windowMs * LEAST_WINDOWS)
  return LENGTHS_MS.find((length) => length >= least) ?? Number.POSITIVE_INFINITY
}

/**
 * Splits a range query: every moment of it lies in exactly one part, at the moments of the query's own grid. Parts without moments are left out; in order.
 */
export function splitRange(
  { startMs, endMs, stepMs }: Moments & { readonly stepMs: number },
  lengthMs: number,
): RangePart[] {
  if (endMs < startMs) return []
  const lastMs = startMs + Math.floor((endMs - startMs) / stepMs) * stepMs
  if (lengthMs === Number.POSITIVE_INFINITY) return [{ split: 0, startMs, endMs: lastMs }]
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
