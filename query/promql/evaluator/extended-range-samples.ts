import { histogramsBetween } from '../histogram-list.ts'
import type { MatrixSeries } from '../query-engine.ts'
import type { Series } from '../series-source.ts'
import { boundSamples, boundValues, type ExtendedBounds } from './bound-samples.ts'
import { executionError } from './evaluation.ts'

/** One window of an extended range selector: samples are those of (startMs - lookback, endMs], smoothed those up to endMs + lookback. */
export interface ExtendedWindow {
  readonly bounds: ExtendedBounds
  readonly startMs: number
  readonly endMs: number
  readonly lookbackMs: number
}

/**
 * What an instant query for an extended range gives of a series: the samples inside, and one at each bound. Null: there are none. Throws
 * QUERY_EXECUTION_FAILED when there are native histograms.
 */
export function extendedRangeSamples(
  { timestamps, values, histograms }: Series,
  { bounds, startMs, endMs, lookbackMs }: ExtendedWindow,
): Omit<MatrixSeries, 'labels'> | null {
  const isSmoothed = bounds === 'smoothed'
  const untilMs = isSmoothed ? endMs + lookbackMs : endMs
  let from = 0
  while (from < timestamps.length && (timestamps[from] as number) <= startMs - lookbackMs) from += 1
  let to = from
  while (to < timestamps.length && (timestamps[to] as number) <= untilMs) to += 1
  if (from === to) return null
  if (histograms != null && histogramsBetween(histograms, from, to).some((one) => one !== null)) {
    throw executionError(`${bounds} modifier is not supported with histograms`)
  }
  const found = boundSamples(timestamps, from, to, startMs, endMs, isSmoothed)
  if (found === null) return null
  const { first, last } = found
  const samples = { times: timestamps, values }
  const { left, right } = boundValues(samples, found, from, { startMs, endMs, isSmoothed }, false)
  const inside = { from: first, to: last + 1 }
  if ((timestamps[first] as number) <= startMs) inside.from += 1
  if ((timestamps[last] as number) >= endMs) inside.to -= 1
  return {
    timestamps: Float64Array.of(startMs, ...timestamps.slice(inside.from, inside.to), endMs),
    values: Float64Array.of(left, ...values.slice(inside.from, inside.to), right),
  }
}
