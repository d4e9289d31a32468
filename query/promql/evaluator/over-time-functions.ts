import type { GridSeries } from './grid.ts'
import {
  averageMixed,
  countMixed,
  firstMixed,
  lastMixed,
  presentMixed,
  sumMixed,
  timeOfFirstMixed,
  timeOfLastMixed,
} from './histogram-over-time-functions.ts'
import { kahanMean, kahanSum, lostWith } from './kahan-sum.ts'
import { quantileOf, sortForQuantile } from './quantile.ts'
import type { FloatWindows, RangeFunction, RangeFunctions, RangeWindows } from './range-window.ts'
import { REGRESSION_FUNCTIONS } from './regression-functions.ts'
import { createSortedWindow } from './sorted-window.ts'

/** Functions on all samples of a window, by name. */
export const OVER_TIME_FUNCTIONS: Readonly<Record<string, RangeFunctions>> = {
  sum_over_time: { floats: each(({ values }, from, to) => kahanSum(values, from, to)), mixed: sumMixed },
  avg_over_time: { floats: each(({ values }, from, to) => kahanMean(values, from, to)), mixed: averageMixed },
  count_over_time: { floats: each((_, from, to) => to - from), mixed: countMixed },
  present_over_time: { floats: each(() => 1), mixed: presentMixed },
  last_over_time: { floats: each(({ values }, _, to) => values[to - 1] as number), mixed: lastMixed },
  first_over_time: { floats: each(({ values }, from) => values[from] as number), mixed: firstMixed },
  ts_of_last_over_time: {
    floats: each(({ times }, _, to) => (times[to - 1] as number) / 1000),
    mixed: timeOfLastMixed,
  },
  ts_of_first_over_time: {
    floats: each(({ times }, from) => (times[from] as number) / 1000),
    mixed: timeOfFirstMixed,
  },
  min_over_time: { floats: extreme('min', 'first', ({ values }, index) => values[index] as number) },
  max_over_time: { floats: extreme('max', 'first', ({ values }, index) => values[index] as number) },
  ts_of_min_over_time: {
    floats: extreme('min', 'last', ({ times }, index) => (times[index] as number) / 1000),
  },
  ts_of_max_over_time: {
    floats: extreme('max', 'last', ({ times }, index) => (times[index] as number) / 1000),
  },
  stdvar_over_time: { floats: each(variance) },
  stddev_over_time: { floats: each((floats, from, to) => Math.sqrt(variance(floats, from, to))) },
  quantile_over_time: { floats: quantiles },
  mad_over_time: { floats: each(medianDeviation) },
  ...REGRESSION_FUNCTIONS,
}

type OfWindow = (floats: FloatWindows, from: number, to: number) => number

/** A function that gives a number for every window that holds any. */
function each(compute: OfWindow): RangeFunction {
  return ({ floats }, { values, present }) => {
    const { from, to } = floats
    for (let i = 0; i < from.length; i += 1) {
      if (from[i] === to[i]) continue
      values[i] = compute(floats, from[i] as number, to[i] as number)
      present[i] = 1
    }
  }
}

/**
 * The largest or smallest sample of each window, the first or last of equal ones; NaN only where there is nothing else. A queue of the samples that
 * may still become it moves along with the window.
 */
function extreme(
  which: 'min' | 'max',
  ofEqual: 'first' | 'last',
  give: (floats: FloatWindows, index: number) => number,
): RangeFunction {
  const isMax = which === 'max'
  const keepsEqual = ofEqual === 'first'
  return ({ floats }, result) => {
    const { values, from, to } = floats
    const queue = new Int32Array(values.length)
    let head = 0
    let tail = 0
    let seen = 0
    for (let i = 0; i < from.length; i += 1) {
      const first = from[i] as number
      const end = to[i] as number
      if (first === end) continue
      for (seen = Math.max(seen, first); seen < end; seen += 1) {
        const value = values[seen] as number
        if (Number.isNaN(value)) continue
        while (tail > head) {
          const other = values[queue[tail - 1] as number] as number
          if (isMax ? other > value : other < value) break
          if (keepsEqual && other === value) break
          tail -= 1
        }
        queue[tail] = seen
        tail += 1
      }
      while (head < tail && (queue[head] as number) < first) head += 1
      result.values[i] = give(floats, head < tail ? (queue[head] as number) : end - 1)
      result.present[i] = 1
    }
  }
}

function quantiles({ floats, parameters }: RangeWindows, result: GridSeries): void {
  const { values, from, to } = floats
  const phis = parameters[0]
  let capacity = 0
  for (let i = 0; i < from.length; i += 1)
    capacity = Math.max(capacity, (to[i] as number) - (from[i] as number))
  // Room for what comes before what goes has gone.
  const window = createSortedWindow(values, capacity * 2)
  for (let i = 0; i < from.length; i += 1) {
    if (from[i] === to[i]) continue
    window.moveTo(from[i] as number, to[i] as number)
    result.values[i] = quantileOf(phis?.[i] ?? Number.NaN, window.sorted, window.count)
    result.present[i] = 1
  }
}

function medianDeviation({ values }: FloatWindows, from: number, to: number): number {
  const all = values.slice(from, to)
  if (all.some(Number.isNaN)) return Number.NaN
  const median = quantileOf(0.5, sortForQuantile(all))
  for (let i = 0; i < all.length; i += 1) all[i] = Math.abs((all[i] as number) - median)
  return quantileOf(0.5, sortForQuantile(all))
}

/** Welford's algorithm with compensated sums. */
function variance({ values }: FloatWindows, from: number, to: number): number {
  let count = 0
  let mean = 0
  let lostMean = 0
  let squares = 0
  let lostSquares = 0
  for (let i = from; i < to; i += 1) {
    const value = values[i] as number
    count += 1
    const delta = value - (mean + lostMean)
    lostMean = lostWith(mean, lostMean, delta / count)
    mean += delta / count
    const square = delta * (value - (mean + lostMean))
    lostSquares = lostWith(squares, lostSquares, square)
    squares += square
  }
  return (squares + lostSquares) / count
}
