import { type HistogramList, pickHistograms, placesOf } from '../histogram-list.ts'
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
    /** Each place has one. */
    readonly histograms: HistogramList
    readonly starts: Float64Array | null
  } | null
}

/** Takes a series' numbers and native histograms apart. What is stale must have been left out before. */
export function splitSamples({ timestamps, values, histograms, starts }: Series): SplitSamples {
  const places = histograms == null ? NOWHERE : placesOf(histograms, true)
  if (histograms == null || places.length === 0) {
    return { floats: { times: timestamps, values, starts: starts ?? null }, histograms: null }
  }
  if (places.length === timestamps.length) {
    const none = new Float64Array(0)
    return {
      floats: { times: none, values: none, starts: starts == null ? null : none },
      histograms: { times: timestamps, histograms, starts: starts ?? null },
    }
  }
  const others = placesOf(histograms, false)
  return {
    floats: {
      times: at(timestamps, others),
      values: at(values, others),
      starts: starts == null ? null : at(starts, others),
    },
    histograms: {
      times: at(timestamps, places),
      histograms: pickHistograms(histograms, places),
      starts: starts == null ? null : at(starts, places),
    },
  }
}

const NOWHERE = new Int32Array(0)

function at(numbers: Float64Array, places: Int32Array): Float64Array {
  const found = new Float64Array(places.length)
  for (let i = 0; i < places.length; i += 1) found[i] = numbers[places[i] as number] as number
  return found
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
