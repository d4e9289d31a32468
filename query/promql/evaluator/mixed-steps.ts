import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { histogramEquals } from '../../../model/histogram/histogram-equals.ts'
import { isCounterReset } from '../../../model/histogram/is-counter-reset.ts'
import type { GridSeries } from './grid.ts'
import type { FloatWindows, HistogramWindows, RangeWindows } from './range-window.ts'
import { isStartReset } from './start-times.ts'

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
    true,
  )
}

/** One sample on the way through a window. */
interface Step {
  readonly value: number | FloatHistogram
  readonly timeMs: number
  /** When the counter began; 0: not known. */
  readonly startMs: number
}

/**
 * Goes through the numbers and the histograms of each window in the order of their times. With `hasResets` a counter that began anew is
 * counted, too.
 */
function countMixedSteps(
  { floats, histograms }: RangeWindows,
  result: GridSeries,
  isFloatCounted: (before: number, now: number) => boolean,
  isHistogramCounted: (before: FloatHistogram, now: FloatHistogram) => boolean,
  hasResets = false,
): void {
  if (histograms === null) return
  const isCounted = (before: Step, now: Step): boolean => {
    const [a, b] = [before.value, now.value]
    if (typeof a === 'number' ? typeof b !== 'number' : typeof b === 'number') return true
    if (hasResets && isStartReset(before.startMs, before.timeMs, now.startMs, now.timeMs)) return true
    if (typeof a === 'number' || typeof b === 'number') return isFloatCounted(a as number, b as number)
    return isHistogramCounted(a, b)
  }
  for (let i = 0; i < result.present.length; i += 1) {
    let before: Step | null = null
    let count = 0
    for (const step of stepsOf(floats, histograms, i)) {
      if (before !== null && isCounted(before, step)) count += 1
      before = step
    }
    if (before === null) continue
    result.values[i] = count
    result.present[i] = 1
  }
}

function* stepsOf(floats: FloatWindows, histograms: HistogramWindows, i: number): Generator<Step> {
  let nextFloat = floats.from[i] as number
  let nextHistogram = histograms.from[i] as number
  const lastFloat = floats.to[i] as number
  const lastHistogram = histograms.to[i] as number
  while (nextFloat < lastFloat || nextHistogram < lastHistogram) {
    const isFloatNext =
      nextHistogram >= lastHistogram ||
      (nextFloat < lastFloat &&
        (floats.times[nextFloat] as number) < (histograms.times[nextHistogram] as number))
    const [at, of] = isFloatNext ? [nextFloat, floats] : [nextHistogram, histograms]
    yield {
      value: isFloatNext ? (floats.values[at] as number) : histograms.histograms.at(at),
      timeMs: of.times[at] as number,
      startMs: of.starts?.[at] ?? 0,
    }
    if (isFloatNext) nextFloat += 1
    else nextHistogram += 1
  }
}
