import type { FloatHistogram } from '../../../model/float-histogram.ts'
import type { Series } from '../series-source.ts'
import type { WindowBounds } from './range-window.ts'

/** Samples of a series, numbers and native histograms apart. */
export interface SplitSamples {
  readonly floats: {
    readonly times: Float64Array
    readonly values: Float64Array
    readonly starts: Float64Array | null
  }
  /** Null: there are none. */
  readonly histograms: {
    readonly times: Float64Array
    readonly histograms: readonly FloatHistogram[]
    readonly starts: Float64Array | null
  } | null
}

/** Takes a series' numbers and native histograms apart. What is stale must have been left out before. */
export function splitSamples({ timestamps, values, histograms, starts }: Series): SplitSamples {
  if (histograms == null || !histograms.some((histogram) => histogram !== null)) {
    return { floats: { times: timestamps, values, starts: starts ?? null }, histograms: null }
  }
  const isFloat = (_: unknown, index: number) => histograms[index] === null
  const isHistogram = (_: unknown, index: number) => histograms[index] !== null
  return {
    floats: {
      times: timestamps.filter(isFloat),
      values: values.filter(isFloat),
      starts: starts?.filter(isFloat) ?? null,
    },
    histograms: {
      times: timestamps.filter(isHistogram),
      histograms: histograms.filter((histogram) => histogram !== null),
      starts: starts?.filter(isHistogram) ?? null,
    },
  }
}

/** Bounds for so many windows, to be filled by {@link findWindows}. */
export function emptyBounds(count: number): WindowBounds {
  return { from: new Int32Array(count), to: new Int32Array(count) }
}

/**
 * Finds which samples lie in (end - beforeMs, end + afterMs] of every end. Times and ends ascend; all in milliseconds.
 */
export function findWindows(
  times: Float64Array,
  ends: Float64Array,
  beforeMs: number,
  afterMs: number,
  { from, to }: WindowBounds,
): void {
  const count = times.length
  let first = 0
  let next = 0
  for (let i = 0; i < ends.length; i += 1) {
    const end = ends[i] as number
    const stop = end + afterMs
    const start = end - beforeMs
    while (next < count && (times[next] as number) <= stop) next += 1
    while (first < next && (times[first] as number) <= start) first += 1
    from[i] = first
    to[i] = next
  }
}
