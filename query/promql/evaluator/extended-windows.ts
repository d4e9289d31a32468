import type { MatrixSelector, Subquery } from '../ast.ts'
import type { ExtendedBounds } from './bound-samples.ts'
import { executionError } from './evaluation.ts'
import { extendedRate } from './extended-rate.ts'
import { emptyBounds } from './find-windows.ts'
import type { GridSeries } from './grid.ts'
import type { HistogramWindows, RangeFunctions, RangeWindows } from './range-window.ts'

const ALLOWED: Readonly<Record<ExtendedBounds, readonly string[]>> = {
  anchored: ['changes', 'delta', 'increase', 'rate', 'resets'],
  smoothed: ['delta', 'increase', 'rate'],
}

/** Throws QUERY_EXECUTION_FAILED when a function cannot work on a range, because its bounds are extended. */
export function refuseExtended(node: MatrixSelector | Subquery, functionName: string): void {
  const bounds = node.kind === 'subquery' ? '' : node.selector.bounds
  if (bounds === '' || ALLOWED[bounds].includes(functionName)) return
  throw executionError(
    `${bounds} modifier can only be used with: ${ALLOWED[bounds].join(', ')} - not with ${functionName}`,
  )
}

/** Computes a function of an extended range that {@link refuseExtended} lets pass. */
export function computeExtended(
  functionName: string,
  windows: RangeWindows,
  bounds: ExtendedBounds,
  functions: RangeFunctions,
  result: GridSeries,
): void {
  if (functionName === 'changes' || functionName === 'resets') {
    const anchored = anchorWindows(windows)
    const compute = anchored.histograms === null ? functions.floats : (functions.mixed ?? functions.floats)
    compute(anchored, result)
    return
  }
  const isRate = functionName === 'rate'
  extendedRate(windows, result, { bounds, isCounter: functionName !== 'delta', isRate })
}

/**
 * The windows of an anchored range for functions that compare neighbours: of what the lookback adds before a window only the newest sample is left, as
 * that with which the window begins. A window without samples of its own is empty.
 */
function anchorWindows(windows: RangeWindows): RangeWindows {
  const { floats, histograms, ends, rangeMs } = windows
  const floatBounds = emptyBounds(ends.length)
  const histogramBounds = emptyBounds(ends.length)
  for (let i = 0; i < ends.length; i += 1) {
    const startMs = (ends[i] as number) - rangeMs
    const lastFloat = lastUpTo(floats, i, startMs)
    const lastHistogram = histograms === null ? -1 : lastUpTo(histograms, i, startMs)
    const floatTo = floats.to[i] as number
    const histogramTo = histograms?.to[i] ?? 0
    const firstFloat = Math.max(lastFloat + 1, floats.from[i] as number)
    const firstHistogram = Math.max(lastHistogram + 1, histograms?.from[i] ?? 0)
    const isEmpty = firstFloat >= floatTo && firstHistogram >= histogramTo
    const anchorOfFloats = timeAt(floats, lastFloat)
    const anchorOfHistograms = histograms === null ? null : timeAt(histograms, lastHistogram)
    const isFloatNewer =
      anchorOfFloats !== null && (anchorOfHistograms === null || anchorOfFloats >= anchorOfHistograms)
    const isHistogramNewer = !isFloatNewer && anchorOfHistograms !== null
    floatBounds.to[i] = floatTo
    floatBounds.from[i] = isEmpty ? floatTo : isFloatNewer ? lastFloat : firstFloat
    histogramBounds.to[i] = histogramTo
    histogramBounds.from[i] = isEmpty ? histogramTo : isHistogramNewer ? lastHistogram : firstHistogram
  }
  return {
    ...windows,
    floats: { ...floats, ...floatBounds },
    histograms: histograms === null ? null : { ...histograms, ...histogramBounds },
  }
}

type Samples = Pick<HistogramWindows, 'times' | 'from' | 'to'>

/** The last sample of a window that is not after a time; -1 where there is none. */
function lastUpTo({ times, from, to }: Samples, i: number, timeMs: number): number {
  let last = -1
  for (let k = from[i] as number; k < (to[i] as number) && (times[k] as number) <= timeMs; k += 1) last = k
  return last
}

function timeAt({ times }: Samples, index: number): number | null {
  return index < 0 ? null : (times[index] as number)
}
