import { labelValue, METRIC_NAME } from '../../../model/labels.ts'
import { annotationTexts } from './annotation-texts.ts'
import { boundSamples, boundValues } from './bound-samples.ts'
import { type ExtendedRate, extendedHistogramRate } from './extended-histogram-rate.ts'
import { type GridSeries, setHistogram } from './grid.ts'
import type { FloatWindows, RangeWindows } from './range-window.ts'

/**
 * `rate`, `increase` and `delta` of an extended range: the difference between its bounds, without extrapolation. Anchored, the value at a bound is that of
 * the newest sample up to it; smoothed, it lies on the line between the samples around it. The windows hold what the lookback adds.
 */
export function extendedRate(windows: RangeWindows, result: GridSeries, asked: ExtendedRate): void {
  const { floats, histograms, ends, rangeMs, notes, at } = windows
  const name = labelValue(windows.labels, METRIC_NAME)
  for (let i = 0; i < ends.length; i += 1) {
    const hasFloats = floats.from[i] !== floats.to[i]
    if (histograms !== null && histograms.from[i] !== histograms.to[i]) {
      if (hasFloats) notes.warn(annotationTexts.mixedFloatsHistograms(name), at)
      else {
        const rate = extendedHistogramRate(windows, histograms, i, asked, name)
        if (rate !== null) setHistogram(result, i, rate)
      }
      continue
    }
    const change = hasFloats ? changeAt(floats, i, ends[i] as number, rangeMs, asked) : null
    if (change === null) continue
    result.values[i] = asked.isRate ? change / (rangeMs / 1000) : change
    result.present[i] = 1
  }
}

function changeAt(
  floats: FloatWindows,
  i: number,
  endMs: number,
  rangeMs: number,
  { bounds, isCounter }: ExtendedRate,
): number | null {
  const { times, values } = floats
  const startMs = endMs - rangeMs
  const from = floats.from[i] as number
  const isSmoothed = bounds === 'smoothed'
  const found = boundSamples(times, from, floats.to[i] as number, startMs, endMs, isSmoothed)
  if (found === null) return null
  let { first, last } = found
  const { left, right } = boundValues(floats, found, from, { startMs, endMs, isSmoothed }, isCounter)
  if (!isCounter) return right - left
  // Resets at the bounds are in the values there already.
  if ((times[first] as number) <= startMs) first += 1
  if ((times[last] as number) >= endMs) last -= 1
  let before = left
  let lost = 0
  for (let k = first; k <= last; k += 1) {
    const value = values[k] as number
    if (value < before) lost += before
    before = value
  }
  if (right < before) lost += before
  return right - left + lost
}
