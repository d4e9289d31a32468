import type { GridSeries } from './grid.ts'
import { lostWith } from './kahan-sum.ts'
import type { FloatWindows, RangeFunctions, RangeWindows } from './range-window.ts'

/** Functions that tell where a series goes, by name; they need two samples. */
export const REGRESSION_FUNCTIONS: Readonly<Record<string, RangeFunctions>> = {
  deriv: { floats: derivative },
  predict_linear: { floats: prediction },
  double_exponential_smoothing: { floats: smoothing },
}

interface Line {
  /** Per second. */
  slope: number
  /** The line's value at the time asked for. */
  intercept: number
}

function derivative({ floats }: RangeWindows, result: GridSeries): void {
  const { times, from, to } = floats
  const line: Line = { slope: 0, intercept: 0 }
  for (let i = 0; i < from.length; i += 1) {
    if ((to[i] as number) - (from[i] as number) < 2) continue
    fitLine(floats, from[i] as number, to[i] as number, times[from[i] as number] as number, line)
    result.values[i] = line.slope
    result.present[i] = 1
  }
}

function prediction({ floats, moments, parameters }: RangeWindows, result: GridSeries): void {
  const { from, to } = floats
  const line: Line = { slope: 0, intercept: 0 }
  for (let i = 0; i < from.length; i += 1) {
    if ((to[i] as number) - (from[i] as number) < 2) continue
    fitLine(floats, from[i] as number, to[i] as number, moments[i] as number, line)
    result.values[i] = line.slope * (parameters[0]?.[i] ?? Number.NaN) + line.intercept
    result.present[i] = 1
  }
}

/** Least squares with compensated sums. */
function fitLine({ times, values }: FloatWindows, from: number, to: number, atMs: number, line: Line): void {
  const count = to - from
  const first = values[from] as number
  let isConstant = true
  let sumX = 0
  let lostX = 0
  let sumY = 0
  let lostY = 0
  let sumXY = 0
  let lostXY = 0
  let sumXX = 0
  let lostXX = 0
  for (let k = from; k < to; k += 1) {
    const x = ((times[k] as number) - atMs) / 1000
    const y = values[k] as number
    if (k > from && y !== first) isConstant = false
    lostX = lostWith(sumX, lostX, x)
    sumX += x
    lostY = lostWith(sumY, lostY, y)
    sumY += y
    lostXY = lostWith(sumXY, lostXY, x * y)
    sumXY += x * y
    lostXX = lostWith(sumXX, lostXX, x * x)
    sumXX += x * x
  }
  if (isConstant) {
    const isInfinite = Math.abs(first) === Number.POSITIVE_INFINITY
    line.slope = isInfinite ? Number.NaN : 0
    line.intercept = isInfinite ? Number.NaN : first
    return
  }
  sumX += lostX
  sumY += lostY
  sumXY += lostXY
  sumXX += lostXX
  const covariance = sumXY - (sumX * sumY) / count
  const variance = sumXX - (sumX * sumX) / count
  line.slope = covariance / variance
  line.intercept = sumY / count - (line.slope * sumX) / count
}

/** Double exponential smoothing: the parameters are the smoothing factor and the trend factor, both in (0, 1). */
function smoothing({ floats, parameters }: RangeWindows, result: GridSeries): void {
  const { values, from, to } = floats
  for (let i = 0; i < from.length; i += 1) {
    const first = from[i] as number
    const end = to[i] as number
    if (end - first < 2) continue
    const factor = parameters[0]?.[i] ?? 0
    const trendFactor = parameters[1]?.[i] ?? 0
    let trend = (values[first + 1] as number) - (values[first] as number)
    let before = 0
    let level = values[first] as number
    for (let k = first + 1; k < end; k += 1) {
      const scaled = factor * (values[k] as number)
      if (k > first + 1) trend = trendFactor * (level - before) + (1 - trendFactor) * trend
      before = level
      level = scaled + (1 - factor) * (level + trend)
    }
    result.values[i] = level
    result.present[i] = 1
  }
}
