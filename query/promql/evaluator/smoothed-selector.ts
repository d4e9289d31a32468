import { CUSTOM_BUCKETS_SCHEMA } from '../../../model/float-histogram.ts'
import { labelValue, METRIC_NAME } from '../../../model/labels.ts'
import type { VectorSelector } from '../ast.ts'
import type { Series } from '../series-source.ts'
import { annotationTexts } from './annotation-texts.ts'
import { valueBetween } from './bound-samples.ts'
import { withoutStale } from './evaluate-selector.ts'
import type { Evaluation } from './evaluation.ts'
import { interpolateHistograms } from './extended-histogram-rate.ts'
import { emptyBounds, findWindows, splitSamples } from './find-windows.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere, setHistogram } from './grid.ts'
import { referenceTime } from './plan-selectors.ts'

/**
 * A smoothed instant selector on a grid: at each moment the value on the line between the samples before and after it, both within the lookback; without
 * one after it the last one's. Markers of staleness are as if they were not there.
 */
export async function evaluateSmoothed(
  run: Evaluation,
  node: VectorSelector,
  grid: Grid,
): Promise<GridSeries[]> {
  const ends = new Float64Array(grid.count)
  for (let i = 0; i < grid.count; i += 1) ends[i] = referenceTime(node, grid, i, run.top)
  const found: GridSeries[] = []
  for (const series of run.samples.get(node) ?? []) {
    const result = emptySeries(series.labels, false, grid)
    fillSmoothed(run, node, withoutStale(series), ends, result)
    if (isAnywhere(result)) found.push(result)
    await run.breathe()
  }
  return found
}

function fillSmoothed(
  run: Evaluation,
  node: VectorSelector,
  series: Series,
  ends: Float64Array,
  result: GridSeries,
): void {
  const { floats, histograms } = splitSamples(series)
  const floatBounds = emptyBounds(ends.length)
  const histogramBounds = emptyBounds(ends.length)
  findWindows(floats.times, ends, run.lookbackMs, run.lookbackMs, floatBounds)
  if (histograms !== null)
    findWindows(histograms.times, ends, run.lookbackMs, run.lookbackMs, histogramBounds)
  const name = labelValue(series.labels, METRIC_NAME)
  const doubts = { notes: run.notes, at: node, name }
  for (let i = 0; i < ends.length; i += 1) {
    const atMs = ends[i] as number
    const float = placeOf(floats.times, floatBounds, i, atMs)
    if (histograms === null || histogramBounds.from[i] === histogramBounds.to[i]) {
      if (float === null) continue
      result.values[i] = float.isBetween
        ? valueBetween(floats, float.index, atMs, false)
        : (floats.values[float.index] as number)
      result.present[i] = 1
      continue
    }
    if (floatBounds.from[i] !== floatBounds.to[i]) {
      run.notes.warn(annotationTexts.mixedFloatsHistograms(name), node)
      continue
    }
    const place = placeOf(histograms.times, histogramBounds, i, atMs)
    const before = place === null ? undefined : histograms.histograms.at(place.index)
    if (place === null || before === undefined) continue
    const after = place.isBetween ? histograms.histograms.at(place.index + 1) : undefined
    if (after === undefined) {
      const isCarried = (histograms.times[place.index] as number) < atMs
      // What is known of a reset is known of the sample, not of its value later on.
      setHistogram(result, i, isCarried ? { ...before, counterResetHint: 'unknown' } : before)
      continue
    }
    if ((before.schema === CUSTOM_BUCKETS_SCHEMA) !== (after.schema === CUSTOM_BUCKETS_SCHEMA)) {
      run.notes.warn(annotationTexts.mixedExponentialCustom(name), node)
      continue
    }
    const beforeMs = histograms.times[place.index] as number
    const afterMs = histograms.times[place.index + 1] as number
    const isCounter = before.counterResetHint !== 'gauge' || after.counterResetHint !== 'gauge'
    const value = interpolateHistograms(beforeMs, before, afterMs, after, atMs, isCounter, doubts)
    if (value !== null) setHistogram(result, i, value)
  }
}

/** The last sample of a window up to a time, and whether the next one of the window is needed beside it. */
function placeOf(
  times: Float64Array,
  { from, to }: ReturnType<typeof emptyBounds>,
  i: number,
  atMs: number,
): { readonly index: number; readonly isBetween: boolean } | null {
  let index = (from[i] as number) - 1
  while (index + 1 < (to[i] as number) && (times[index + 1] as number) <= atMs) index += 1
  if (index < (from[i] as number)) return null
  return { index, isBetween: (times[index] as number) < atMs && index + 1 < (to[i] as number) }
}
