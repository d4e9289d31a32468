import { labelValue, METRIC_NAME } from '../../../model/labels.ts'
import { annotationTexts } from './annotation-texts.ts'
import { extrapolationFactor, extrapolationFactorSince } from './extrapolation-factor.ts'
import type { GridSeries } from './grid.ts'
import { lastChangeOfHistograms, rateHistograms } from './histogram-rate-functions.ts'
import { countMixedChanges, countMixedResets } from './mixed-steps.ts'
import type { FloatWindows, RangeFunction, RangeFunctions, RangeWindows } from './range-window.ts'
import { isStartOverlap, isStartReset } from './start-times.ts'

/** Functions on how a series changes, by name, as Prometheus' `promql/functions.go` defines them. */
export const RATE_FUNCTIONS: Readonly<Record<string, RangeFunctions>> = {
  rate: rateFunctions(true, true),
  increase: rateFunctions(true, false),
  delta: rateFunctions(false, false),
  irate: lastChangeFunctions(true),
  idelta: lastChangeFunctions(false),
  changes: { floats: (windows, result) => countSteps(windows, result, isChange), mixed: countMixedChanges },
  resets: { floats: (windows, result) => countSteps(windows, result, isFall, true), mixed: countMixedResets },
}

function rateFunctions(isCounter: boolean, isRate: boolean): RangeFunctions {
  const floats: RangeFunction = (windows, result) => rate(windows, result, isCounter, isRate)
  return {
    floats,
    mixed: (windows, result) => {
      floats(windows, result)
      rateHistograms(windows, result, isCounter, isRate)
    },
  }
}

function lastChangeFunctions(isRate: boolean): RangeFunctions {
  const floats: RangeFunction = (windows, result) => lastChange(windows, result, isRate)
  return {
    floats,
    mixed: (windows, result) => {
      floats(windows, result)
      lastChangeOfHistograms(windows, result, isRate)
    },
  }
}

function isChange(before: number, now: number): boolean {
  return now !== before && !(Number.isNaN(now) && Number.isNaN(before))
}

function isFall(before: number, now: number): boolean {
  return now < before
}

/** The change over the window, extrapolated to its bounds; of a counter with what its resets took away. */
function rate(windows: RangeWindows, result: GridSeries, isCounter: boolean, isRate: boolean): void {
  const { ends, rangeMs } = windows
  const { times, values, starts, from, to } = windows.floats
  const resets = isCounter ? resetsUpTo(windows.floats) : null
  const seconds = rangeMs / 1000
  for (let i = 0; i < ends.length; i += 1) {
    const first = from[i] as number
    const last = (to[i] as number) - 1
    if (last < first) continue
    const firstMs = times[first] as number
    const lastMs = times[last] as number
    const endMs = ends[i] as number
    const firstValue = values[first] as number
    let change = (values[last] as number) - firstValue
    if (resets !== null && resets[last] !== resets[first]) {
      // Most windows hold no reset; only the others are gone through, in order, so that sums come out as they do in Prometheus.
      for (let k = first + 1; k <= last; k += 1) {
        if (resets[k] !== resets[k - 1]) change += values[k - 1] as number
      }
    }
    if (isCounter && starts !== null) noteOverlap(windows, first, last)
    const startedMs = isCounter && starts !== null ? (starts[first] as number) : 0
    let factor: number
    if (startedMs !== 0 && startedMs > endMs - rangeMs && startedMs < firstMs) {
      change += firstValue
      factor = extrapolationFactorSince(startedMs, firstMs, lastMs, last - first + 1, endMs)
    } else {
      if (last === first) continue
      const growth = isCounter ? change : 0
      factor = extrapolationFactor(
        firstMs,
        lastMs,
        last - first + 1,
        endMs - rangeMs,
        endMs,
        firstValue,
        growth,
      )
    }
    if (isRate) factor /= seconds
    result.values[i] = change * factor
    result.present[i] = 1
  }
}

/** Taken by one series after the other: typed arrays are dear to make. */
let scratch = new Uint32Array(1024)

/** At each sample the number of resets up to it; good until it is asked again. */
function resetsUpTo({ times, values, starts }: FloatWindows): Uint32Array {
  if (scratch.length < times.length) scratch = new Uint32Array(2 * times.length)
  const resets = scratch
  resets[0] = 0
  let count = 0
  for (let k = 1; k < times.length; k += 1) {
    const isReset =
      (values[k] as number) < (values[k - 1] as number) ||
      (starts !== null &&
        isStartReset(
          starts[k - 1] as number,
          times[k - 1] as number,
          starts[k] as number,
          times[k] as number,
        ))
    if (isReset) count += 1
    resets[k] = count
  }
  return resets
}

function noteOverlap({ floats, labels, notes, at }: RangeWindows, first: number, last: number): void {
  const { times, starts } = floats
  if (starts === null) return
  for (let k = first + 1; k <= last; k += 1) {
    if (!isStartOverlap(starts[k - 1] as number, times[k - 1] as number, starts[k] as number)) continue
    notes.warn(annotationTexts.startTimeOverlap(labelValue(labels, METRIC_NAME)), at)
    return
  }
}

/** The change between the last two samples; of a counter that was reset, its value since. */
function lastChange({ floats }: RangeWindows, result: GridSeries, isRate: boolean): void {
  const { times, values, starts, from, to } = floats
  for (let i = 0; i < from.length; i += 1) {
    const last = (to[i] as number) - 1
    if (last - 1 < (from[i] as number)) continue
    const before = values[last - 1] as number
    const now = values[last] as number
    const beforeMs = times[last - 1] as number
    const nowMs = times[last] as number
    const isReset =
      isRate &&
      (now < before ||
        (starts !== null &&
          isStartReset(starts[last - 1] as number, beforeMs, starts[last] as number, nowMs)))
    const change = isReset ? now : now - before
    result.values[i] = isRate ? change / ((nowMs - beforeMs) / 1000) : change
    result.present[i] = 1
  }
}

/** How many neighbours in the window fulfil a condition; with `hasResets` also those between which the counter began anew. */
function countSteps(
  { floats }: RangeWindows,
  result: GridSeries,
  isCounted: (before: number, now: number) => boolean,
  hasResets = false,
): void {
  const { times, values, starts, from, to } = floats
  const steps = new Uint32Array(values.length)
  let count = 0
  for (let k = 1; k < values.length; k += 1) {
    const isReset =
      hasResets &&
      starts !== null &&
      isStartReset(starts[k - 1] as number, times[k - 1] as number, starts[k] as number, times[k] as number)
    if (isReset || isCounted(values[k - 1] as number, values[k] as number)) count += 1
    steps[k] = count
  }
  for (let i = 0; i < from.length; i += 1) {
    const first = from[i] as number
    const last = (to[i] as number) - 1
    if (last < first) continue
    result.values[i] = (steps[last] as number) - (steps[first] as number)
    result.present[i] = 1
  }
}
