/** How an extended selector treats its window's bounds. */
export type ExtendedBounds = 'anchored' | 'smoothed'

/** Indexes of the samples that stand for the bounds of a window. */
export interface BoundSamples {
  readonly first: number
  readonly last: number
}

/** Finds the samples at, or around, the bounds of a window that is not empty; null where nothing can be said of it. */
export function boundSamples(
  times: Float64Array,
  from: number,
  to: number,
  startMs: number,
  endMs: number,
  isSmoothed: boolean,
): BoundSamples | null {
  let last = to - 1
  // The last sample is never looked at: it is what is left when no other fits.
  let first = from
  while (first < last && (times[first] as number) <= startMs) first += 1
  first = Math.max(from, first - 1)
  if (isSmoothed) {
    let next = from
    while (next < last && (times[next] as number) < endMs) next += 1
    last = next
  }
  if ((times[last] as number) <= startMs) return null
  if (isSmoothed && (times[first] as number) > endMs) return null
  return { first, last }
}

/**
 * The values at the bounds of a window whose samples `found` stand for them: those samples' own, or, smoothed, values between them and the next.
 * `from`: the window's first sample. A counter that was reset between two samples began at 0.
 */
export function boundValues(
  samples: { readonly times: Float64Array; readonly values: Float64Array },
  { first, last }: BoundSamples,
  from: number,
  bounds: { readonly startMs: number; readonly endMs: number; readonly isSmoothed: boolean },
  isCounter: boolean,
): { readonly left: number; readonly right: number } {
  const { times, values } = samples
  const { startMs, endMs, isSmoothed } = bounds
  const left =
    isSmoothed && (times[first] as number) < startMs
      ? valueBetween(samples, first, startMs, isCounter)
      : (values[first] as number)
  const right =
    isSmoothed && last > from && (times[last] as number) > endMs
      ? valueBetween(samples, last - 1, endMs, isCounter)
      : (values[last] as number)
  return { left, right }
}

/** The value at a time on the line between two samples; a counter that was reset between them began at 0. */
function interpolate(
  beforeMs: number,
  before: number,
  afterMs: number,
  after: number,
  atMs: number,
  isCounter: boolean,
): number {
  const from = isCounter && after < before ? 0 : before
  return from + ((after - from) * (atMs - beforeMs)) / (afterMs - beforeMs)
}

/** The value at a time on the line from one sample to the next. */
export function valueBetween(
  { times, values }: { readonly times: Float64Array; readonly values: Float64Array },
  before: number,
  atMs: number,
  isCounter: boolean,
): number {
  return interpolate(
    times[before] as number,
    values[before] as number,
    times[before + 1] as number,
    values[before + 1] as number,
    atMs,
    isCounter,
  )
}
