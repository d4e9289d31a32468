import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { createHistogramMean } from '../../../model/histogram/histogram-mean.ts'
import { createHistogramSum, type HistogramSum } from '../../../model/histogram/histogram-sum.ts'
import { labelValue, METRIC_NAME } from '../../../model/labels.ts'
import { annotationTexts } from './annotation-texts.ts'
import { type GridSeries, setHistogram } from './grid.ts'
import { kahanMean, kahanSum } from './kahan-sum.ts'
import type { FloatWindows, HistogramWindows, RangeFunction, RangeWindows } from './range-window.ts'

/** `sum_over_time` of a series that has native histograms; a window with numbers, too, gives nothing and a warning. */
export const sumMixed: RangeFunction = combineMixed(createHistogramSum, ({ values }, from, to) =>
  kahanSum(values, from, to),
)

/** `avg_over_time` of a series that has native histograms. */
export const averageMixed: RangeFunction = combineMixed(createHistogramMean, ({ values }, from, to) =>
  kahanMean(values, from, to),
)

/** `count_over_time`: of samples of either kind. */
export const countMixed: RangeFunction = eachMixed((floats, histograms, i) => {
  return lengthAt(floats, i) + lengthAt(histograms, i)
})

/** `present_over_time`. */
export const presentMixed: RangeFunction = eachMixed(() => 1)

/** `last_over_time`: the last sample of either kind. */
export const lastMixed: RangeFunction = eachMixed((floats, histograms, i) => {
  return lastTime(histograms, i) < lastTime(floats, i)
    ? (floats.values[(floats.to[i] as number) - 1] as number)
    : histograms.histograms.at((histograms.to[i] as number) - 1)
})

/** `first_over_time`: the first sample of either kind. */
export const firstMixed: RangeFunction = eachMixed((floats, histograms, i) => {
  return firstTime(floats, i) < firstTime(histograms, i)
    ? (floats.values[floats.from[i] as number] as number)
    : histograms.histograms.at(histograms.from[i] as number)
})

/** `ts_of_last_over_time`. */
export const timeOfLastMixed: RangeFunction = eachMixed(
  (floats, histograms, i) => Math.max(lastTime(floats, i), lastTime(histograms, i)) / 1000,
)

/** `ts_of_first_over_time`. */
export const timeOfFirstMixed: RangeFunction = eachMixed(
  (floats, histograms, i) => Math.min(firstTime(floats, i), firstTime(histograms, i)) / 1000,
)

function eachMixed(
  compute: (floats: FloatWindows, histograms: HistogramWindows, i: number) => number | FloatHistogram,
): RangeFunction {
  return ({ floats, histograms }, result) => {
    if (histograms === null) return
    for (let i = 0; i < result.present.length; i += 1) {
      if (lengthAt(floats, i) + lengthAt(histograms, i) > 0) put(result, i, compute(floats, histograms, i))
    }
  }
}

function combineMixed(
  start: () => HistogramSum,
  ofFloats: (floats: FloatWindows, from: number, to: number) => number,
): RangeFunction {
  return (windows, result) => {
    const { floats, histograms, notes, at, labels } = windows
    if (histograms === null) return
    for (let i = 0; i < result.present.length; i += 1) {
      if (lengthAt(histograms, i) === 0) {
        if (lengthAt(floats, i) === 0) continue
        put(result, i, ofFloats(floats, floats.from[i] as number, floats.to[i] as number))
      } else if (lengthAt(floats, i) > 0) {
        notes.warn(annotationTexts.mixedFloatsHistograms(labelValue(labels, METRIC_NAME)), at)
      } else {
        const combined = combineWindow(windows, histograms, i, start())
        if (combined !== null) setHistogram(result, i, combined)
      }
    }
  }
}

function combineWindow(
  { notes, at, labels }: RangeWindows,
  { histograms, from, to }: HistogramWindows,
  i: number,
  sum: HistogramSum,
): FloatHistogram | null {
  for (let k = from[i] as number; k < (to[i] as number); k += 1) {
    if (sum.add(histograms.at(k))) continue
    notes.warn(annotationTexts.mixedExponentialCustom(labelValue(labels, METRIC_NAME)), at)
    return null
  }
  if (sum.hasResetCollision()) notes.warn(annotationTexts.counterResetCollision('aggregation'), at)
  if (sum.wereBoundsReconciled()) notes.inform(annotationTexts.mismatchedCustomBuckets('aggregation'), at)
  return sum.result()
}

function put(result: GridSeries, i: number, value: number | FloatHistogram): void {
  if (typeof value !== 'number') {
    setHistogram(result, i, value)
    return
  }
  result.values[i] = value
  result.present[i] = 1
}

function lengthAt({ from, to }: FloatWindows | HistogramWindows, i: number): number {
  return (to[i] as number) - (from[i] as number)
}

function firstTime(samples: FloatWindows | HistogramWindows, i: number): number {
  return lengthAt(samples, i) === 0
    ? Number.POSITIVE_INFINITY
    : (samples.times[samples.from[i] as number] as number)
}

function lastTime(samples: FloatWindows | HistogramWindows, i: number): number {
  return lengthAt(samples, i) === 0
    ? Number.NEGATIVE_INFINITY
    : (samples.times[(samples.to[i] as number) - 1] as number)
}
