import type { RangeFunction, RangeWindow } from './range-window.ts'

/** Functions on how a series changes, by name, as Prometheus' `promql/functions.go` defines them. */
export const RATE_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  rate: (window) => extrapolated(window, true, true),
  increase: (window) => extrapolated(window, true, false),
  delta: (window) => extrapolated(window, false, false),
  irate: (window) => lastChange(window, true),
  idelta: (window) => lastChange(window, false),
  changes: ({ values, from, to }) => {
    let changes = 0
    for (let i = from + 1; i < to; i += 1) {
      const before = values[i - 1] as number
      const now = values[i] as number
      if (now !== before && !(Number.isNaN(now) && Number.isNaN(before))) changes += 1
    }
    return changes
  },
  resets: ({ values, from, to }) => {
    let resets = 0
    for (let i = from + 1; i < to; i += 1) {
      if ((values[i] as number) < (values[i - 1] as number)) resets += 1
    }
    return resets
  },
}

/**
 * The change over the window, extrapolated to its bounds: as far as they are when samples come that close to them (within 1.1 times
 * the average distance), else by half that distance; a counter is not extrapolated below zero.
 */
function extrapolated(window: RangeWindow, isCounter: boolean, isRate: boolean): number | undefined {
  const { times, values, from, to, startMs, endMs } = window
  if (to - from < 2) return undefined
  const first = values[from] as number
  let change = (values[to - 1] as number) - first
  if (isCounter) {
    let before = first
    for (let i = from + 1; i < to; i += 1) {
      const now = values[i] as number
      if (now < before) change += before
      before = now
    }
  }
  const firstMs = times[from] as number
  const lastMs = times[to - 1] as number
  const sampled = (lastMs - firstMs) / 1000
  const average = sampled / (to - from - 1)
  const threshold = average * 1.1
  let toStart = (firstMs - startMs) / 1000
  let toEnd = (endMs - lastMs) / 1000
  if (toStart >= threshold) toStart = average / 2
  if (isCounter && change > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / change))
  if (toEnd >= threshold) toEnd = average / 2
  let factor = (sampled + toStart + toEnd) / sampled
  if (isRate) factor /= (endMs - startMs) / 1000
  return change * factor
}

/** The change between the last two samples; of a counter that was reset, its value since. */
function lastChange({ times, values, from, to }: RangeWindow, isRate: boolean): number | undefined {
  if (to - from < 2) return undefined
  const before = values[to - 2] as number
  const last = values[to - 1] as number
  const change = isRate && last < before ? last : last - before
  const ms = (times[to - 1] as number) - (times[to - 2] as number)
  return isRate ? change / (ms / 1000) : change
}
