import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { histogramEquals } from '../../../model/histogram/histogram-equals.ts'
import { isCounterReset } from '../../../model/histogram/is-counter-reset.ts'
import type { GridSeries } from './grid.ts'
import type { RangeWindows } from './range-window.ts'

/** `changes` of a series that has native histograms; from a number to a histogram and back are changes, too. */
export function countMixedChanges(windows: RangeWindows, result: GridSeries): void {
  countMixedSteps(
    windows,
    result,
    (before, now) => now !== before && !(Number.isNaN(now) && Number.isNaN(before)),
    (before, now) => !histogramEquals(now, before),
  )
}

/** `resets` of a series that has native histograms; from a number to a histogram and back are resets, too. */
export function countMixedResets(windows: RangeWindows, result: GridSeries): void {
  countMixedSteps(
    windows,
    result,
    (before, now) => now < before,
    (before, now) => isCounterReset(now, before),
  )
}

/** Goes through the numbers and the histograms of each window in the order of their times. */
function countMixedSteps(
  { floats, histograms }: RangeWindows,
  result: GridSeries,
  isFloatCounted: (before: number, now: number) => boolean,
  isHistogramCounted: (before: FloatHistogram, now: FloatHistogram) => boolean,
): void {
  if (histograms === null) return
  for (let i = 0; i < result.present.length; i += 1) {
    let nextFloat = floats.from[i] as number
    let nextHistogram = histograms.from[i] as number
    const lastFloat = floats.to[i] as number
    const lastHistogram = histograms.to[i] as number
    if (nextFloat === lastFloat && nextHistogram === lastHistogram) continue
    let count = 0
    let before: number | FloatHistogram | null = null
    while (nextFloat < lastFloat || nextHistogram < lastHistogram) {
      const isFloatNext =
        nextHistogram >= lastHistogram ||
        (nextFloat < lastFloat &&
          (floats.times[nextFloat] as number) < (histograms.times[nextHistogram] as number))
      const now: number | FloatHistogram = isFloatNext
        ? (floats.values[nextFloat] as number)
        : (histograms.histograms[nextHistogram] as FloatHistogram)
      if (isFloatNext) nextFloat += 1
      else nextHistogram += 1
      if (before !== null) {
        const isStep =
          typeof before === 'number'
            ? typeof now !== 'number' || isFloatCounted(before, now)
            : typeof now === 'number' || isHistogramCounted(before, now)
        if (isStep) count += 1
      }
      before = now
    }
    result.values[i] = count
    result.present[i] = 1
  }
}
