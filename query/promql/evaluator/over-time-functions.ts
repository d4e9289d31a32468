import { kahanMean, kahanSum, lostWith } from './kahan-sum.ts'
import { quantileOf, sortedForQuantile } from './quantile.ts'
import type { RangeFunction, RangeWindow } from './range-window.ts'

/** Functions on all samples of a window, by name. */
export const OVER_TIME_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  sum_over_time: ({ values, from, to }) => kahanSum(values, from, to),
  avg_over_time: ({ values, from, to }) => kahanMean(values, from, to),
  count_over_time: ({ from, to }) => to - from,
  present_over_time: () => 1,
  last_over_time: ({ values, to }) => values[to - 1],
  first_over_time: ({ values, from }) => values[from],
  min_over_time: (window) => window.values[extreme(window, (a, b) => a < b)],
  max_over_time: (window) => window.values[extreme(window, (a, b) => a > b)],
  stdvar_over_time: variance,
  stddev_over_time: (window) => Math.sqrt(variance(window)),
  quantile_over_time: ({ values, from, to, parameters }) =>
    quantileOf(parameters[0] ?? Number.NaN, sortedForQuantile(values.subarray(from, to))),
  mad_over_time: ({ values, from, to }) => {
    const all = values.subarray(from, to)
    if (all.some(Number.isNaN)) return Number.NaN
    const median = quantileOf(0.5, sortedForQuantile(all))
    return quantileOf(0.5, sortedForQuantile(all.map((value) => Math.abs(value - median))))
  },
  ts_of_first_over_time: ({ times, from }) => (times[from] as number) / 1000,
  ts_of_last_over_time: ({ times, to }) => (times[to - 1] as number) / 1000,
  ts_of_min_over_time: (window) => (window.times[extreme(window, (a, b) => a <= b)] as number) / 1000,
  ts_of_max_over_time: (window) => (window.times[extreme(window, (a, b) => a >= b)] as number) / 1000,
  deriv: (window) => {
    if (window.to - window.from < 2) return undefined
    return regression(window, window.times[window.from] as number).slope
  },
  predict_linear: (window) => {
    if (window.to - window.from < 2) return undefined
    const { slope, intercept } = regression(window, window.atMs)
    return slope * (window.parameters[0] as number) + intercept
  },
  double_exponential_smoothing: ({ values, from, to, parameters }) => {
    const [smoothing = 0, trendFactor = 0] = parameters
    if (to - from < 2) return undefined
    let trend = (values[from + 1] as number) - (values[from] as number)
    let before = 0
    let level = values[from] as number
    for (let i = from + 1; i < to; i += 1) {
      const scaled = smoothing * (values[i] as number)
      if (i > from + 1) trend = trendFactor * (level - before) + (1 - trendFactor) * trend
      before = level
      level = scaled + (1 - smoothing) * (level + trend)
    }
    return level
  },
}

/** Index of the sample that no other is better than; NaN is worse than any number. */
function extreme({ values, from, to }: RangeWindow, isBetter: (a: number, b: number) => boolean): number {
  let best = from
  for (let i = from + 1; i < to; i += 1) {
    if (isBetter(values[i] as number, values[best] as number) || Number.isNaN(values[best])) best = i
  }
  return best
}

/** Welford's algorithm with compensated sums. */
function variance({ values, from, to }: RangeWindow): number {
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

/** Least squares; `intercept` is the line's value at `atMs`, the slope is per second. */
function regression(
  { times, values, from, to }: RangeWindow,
  atMs: number,
): { readonly slope: number; readonly intercept: number } {
  const count = to - from
  const first = values[from] as number
  const xs = new Float64Array(count)
  let isConstant = true
  for (let i = 0; i < count; i += 1) {
    xs[i] = ((times[from + i] as number) - atMs) / 1000
    if (values[from + i] !== first) isConstant = false
  }
  if (isConstant) {
    return Math.abs(first) === Number.POSITIVE_INFINITY
      ? { slope: Number.NaN, intercept: Number.NaN }
      : { slope: 0, intercept: first }
  }
  const sumOf = (term: (x: number, y: number) => number) =>
    kahanSum(
      xs.map((x, i) => term(x, values[from + i] as number)),
      0,
      count,
    )
  const sumX = sumOf((x) => x)
  const sumY = sumOf((_, y) => y)
  const covariance = sumOf((x, y) => x * y) - (sumX * sumY) / count
  const varianceOfX = sumOf((x) => x * x) - (sumX * sumX) / count
  const slope = covariance / varianceOfX
  return { slope, intercept: sumY / count - (slope * sumX) / count }
}
