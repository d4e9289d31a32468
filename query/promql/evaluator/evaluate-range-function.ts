import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { labelValue, METRIC_NAME } from '../../../model/labels.ts'
import { formatFloat } from '../../../model/template/format-float.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { Call, Expr, MatrixSelector, Subquery } from '../ast.ts'
import { histogramList } from '../histogram-list.ts'
import type { Series } from '../series-source.ts'
import { annotationTexts } from './annotation-texts.ts'
import { isCounterName } from './counter-name.ts'
import type { Evaluate } from './evaluate.ts'
import { samplesOf } from './evaluate-selector.ts'
import {
  type Evaluation,
  executionError,
  notSupported,
  refuseEqualLabels,
  withoutName,
} from './evaluation.ts'
import { computeExtended, refuseExtended } from './extended-windows.ts'
import { emptyBounds, findWindows, splitSamples } from './find-windows.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere, timeAt } from './grid.ts'
import { OVER_TIME_FUNCTIONS } from './over-time-functions.ts'
import { referenceTime, subqueryGrid } from './plan-selectors.ts'
import type { HistogramWindows, RangeFunctions, RangeWindows } from './range-window.ts'
import { RATE_FUNCTIONS } from './rate-functions.ts'

const FUNCTIONS: ReadonlyMap<string, RangeFunctions> = new Map(
  Object.entries({ ...RATE_FUNCTIONS, ...OVER_TIME_FUNCTIONS }),
)
/** Functions that give samples as they are, so that the name still fits. */
export const KEEPS_NAME: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time'])

/** What the function of that name does on one series; undefined: it is no function of a range vector. */
export function rangeFunctions(name: string): RangeFunctions | undefined {
  return FUNCTIONS.get(name)
}

/** Whether a function of a range vector is known here. */
export function isRangeFunction(name: string): boolean {
  return FUNCTIONS.has(name) || name === 'absent_over_time'
}

/** A range vector on a grid: series, and the node whose window moves over them. */
export interface RangeInput {
  readonly node: MatrixSelector | Subquery
  readonly series: readonly (Series & { readonly dropName: boolean })[]
}

/** A function of a range vector, at each moment of a grid on the window that belongs to it. */
export async function evaluateRangeFunction(
  run: Evaluation,
  call: Call,
  grid: Grid,
  evaluate: Evaluate,
): Promise<readonly GridSeries[]> {
  return computeAll(run, await prepareRangeFunction(run, call, grid, evaluate), grid)
}

/** Computes a function of a range vector for all of its series. */
export async function computeAll(
  run: Evaluation,
  ranged: RangedFunction,
  grid: Grid,
): Promise<readonly GridSeries[]> {
  const found: GridSeries[] = []
  for (const series of ranged.input.series) {
    const { labels, dropName } = ranged.named(series)
    const result = emptySeries(labels, dropName, grid)
    if (ranged.compute(series, result)) found.push(result)
    // Too many are refused before memory has been taken for all.
    run.spend(found.length * grid.count)
    const rest = run.breathe()
    if (rest !== undefined) await rest
  }
  ranged.finish(found)
  if (!ranged.areDifferent) refuseEqualLabels(found)
  return found
}

/** A function of a range vector that is ready to be computed series by series. */
export interface RangedFunction {
  readonly input: RangeInput
  /** The labels of all results are known to differ. */
  readonly areDifferent: boolean
  /** Writes the function's values of a series; false: there are none. */
  compute(series: Series, result: GridSeries): boolean
  /** What a series' result is called. */
  named(series: RangeInput['series'][number]): Pick<GridSeries, 'labels' | 'dropName'>
  /** Tells what can be told only of all results. */
  finish(found: readonly Pick<GridSeries, 'present'>[]): void
}

/** Evaluates the arguments of a function of a range vector. */
export async function prepareRangeFunction(
  run: Evaluation,
  call: Call,
  grid: Grid,
  evaluate: Evaluate,
): Promise<RangedFunction> {
  const range = call.args.find((arg) => isRange(arg))
  const functions = FUNCTIONS.get(call.name)
  if (range === undefined || functions === undefined) throw notSupported(run, call.name, call)
  const parameters = await readParameters(run, call, grid, evaluate)
  const input = await evaluateRange(run, range, grid, evaluate)
  refuseExtended(input.node, call.name)
  const windowsOf = createWindows(run, input.node, grid, parameters, range)
  const isRate = call.name === 'rate' || call.name === 'increase'
  const keepsName = KEEPS_NAME.has(call.name)
  let toldName = ''
  return {
    input,
    areDifferent: keepsName || run.isNameRemovalDelayed || haveOneName(input.series),
    compute(series, result) {
      const windows = windowsOf(series)
      if (windows.bounds !== '') computeExtended(call.name, windows, windows.bounds, functions, result)
      else if (windows.histograms === null) functions.floats(windows, result)
      else if (functions.mixed !== undefined) functions.mixed(windows, result)
      else ignoreHistograms(windows, windows.histograms, functions, result, call.args[0] ?? range)
      if (!isAnywhere(result)) return false
      const name = isRate ? labelValue(series.labels, METRIC_NAME) : ''
      if (name === toldName || isCounterName(name) || !hasNumbers(result)) return true
      run.notes.inform(annotationTexts.possibleNonCounter(name), range)
      toldName = name
      return true
    },
    named: (series) =>
      keepsName ? { labels: series.labels, dropName: series.dropName } : withoutName(run, series.labels),
    finish: (found) => {
      if (call.name === 'quantile_over_time') noteBadQuantiles(run, call, parameters, found)
    },
  }
}

/** Whether series have one metric's name and nothing else that goes with it, so that they differ without it, too. */
export function haveOneName(series: readonly Pick<Series, 'labels'>[]): boolean {
  const [first] = series
  if (first === undefined) return true
  const name = labelValue(first.labels, METRIC_NAME)
  return series.every(
    ({ labels }) =>
      labelValue(labels, METRIC_NAME) === name &&
      !labels.includes('__type__') &&
      !labels.includes('__unit__'),
  )
}

/** A function of numbers on a series that has histograms, too: they are left out, and that is told, at the first argument, where there are numbers beside them. */
function ignoreHistograms(
  windows: RangeWindows,
  histograms: HistogramWindows,
  functions: RangeFunctions,
  result: GridSeries,
  at: Expr,
): void {
  const { floats, labels, notes } = windows
  functions.floats(windows, result)
  for (let i = 0; i < result.present.length; i += 1) {
    if (floats.from[i] === floats.to[i] || histograms.from[i] === histograms.to[i]) continue
    notes.inform(annotationTexts.ignoredInMixedRange(labelValue(labels, METRIC_NAME)), at)
    return
  }
}

/**
 * Makes the function that tells what a range vector's window holds of a series at every moment of a grid. What it gives is good until it is called
 * again: the bounds are reused.
 */
export function createWindows(
  run: Pick<Evaluation, 'top' | 'notes' | 'lookbackMs'>,
  node: MatrixSelector | Subquery,
  grid: Grid,
  parameters: readonly Float64Array[],
  at: Expr,
): (series: Series) => RangeWindows {
  const shift = node.kind === 'subquery' ? node : node.selector
  const moments = new Float64Array(grid.count)
  const ends = new Float64Array(grid.count)
  for (let i = 0; i < grid.count; i += 1) {
    moments[i] = timeAt(grid, i)
    ends[i] = referenceTime(shift, grid, i, run.top)
  }
  const floatBounds = emptyBounds(grid.count)
  const histogramBounds = emptyBounds(grid.count)
  const { rangeMs } = node
  const bounds = node.kind === 'subquery' ? '' : node.selector.bounds
  const beforeMs = bounds === '' ? rangeMs : rangeMs + run.lookbackMs
  const afterMs = bounds === 'smoothed' ? run.lookbackMs : 0
  return (series) => {
    const { floats, histograms } = splitSamples(series)
    findWindows(floats.times, ends, beforeMs, afterMs, floatBounds)
    if (histograms !== null) findWindows(histograms.times, ends, beforeMs, afterMs, histogramBounds)
    return {
      labels: series.labels,
      // Member by member: copying objects whole costs more than the windows of a moment.
      floats: {
        times: floats.times,
        values: floats.values,
        starts: floats.starts,
        from: floatBounds.from,
        to: floatBounds.to,
      },
      histograms: histograms === null ? null : { ...histograms, ...histogramBounds },
      ends,
      rangeMs,
      bounds,
      moments,
      parameters,
      notes: run.notes,
      at,
    }
  }
}

/** The series of a range vector's node (in parentheses or not). */
export async function evaluateRange(
  run: Evaluation,
  expr: Expr,
  grid: Grid,
  evaluate: Evaluate,
): Promise<RangeInput> {
  switch (expr.kind) {
    case 'paren':
      return evaluateRange(run, expr.expr, grid, evaluate)
    case 'matrixSelector': {
      return { node: expr, series: samplesOf(run, expr).map((series) => ({ ...series, dropName: false })) }
    }
    case 'subquery': {
      const inner = subqueryGrid(expr, grid, run)
      const value = inner.count === 0 ? null : await evaluate(run, expr.expr, inner)
      if (value !== null && value.type !== 'vector') {
        throw new AppError('INTERNAL', `Cannot evaluate a subquery: its expression gives a ${value.type}`)
      }
      return { node: expr, series: (value?.series ?? []).map((series) => toSamples(series, inner)) }
    }
    default:
      throw new AppError('INTERNAL', `Cannot evaluate a range vector: it is a ${expr.kind}`)
  }
}

function isRange(expr: Expr): boolean {
  if (expr.kind === 'paren') return isRange(expr.expr)
  return expr.kind === 'matrixSelector' || expr.kind === 'subquery'
}

async function readParameters(
  run: Evaluation,
  call: Call,
  grid: Grid,
  evaluate: Evaluate,
): Promise<Float64Array[]> {
  const parameters: Float64Array[] = []
  for (const arg of call.args) {
    if (isRange(arg)) continue
    const value = await evaluate(run, arg, grid)
    if (value.type !== 'scalar') throw new AppError('INTERNAL', `Cannot call ${call.name}: no scalar`)
    parameters.push(value.values)
  }
  if (call.name === 'double_exponential_smoothing') checkSmoothing(parameters)
  return parameters
}

function checkSmoothing(parameters: readonly Float64Array[]): void {
  for (const [index, name] of ['smoothing', 'trend'].entries()) {
    const bad = parameters[index]?.find((factor) => factor <= 0 || factor >= 1)
    if (bad === undefined) continue
    throw executionError(
      `invalid ${name} factor. Expected: 0 < ${name === 'trend' ? 'tf' : 'sf'} < 1, got: ${formatFloat(bad, 'f', 6)}`,
    )
  }
}

function noteBadQuantiles(
  run: Evaluation,
  call: Call,
  [phis]: readonly Float64Array[],
  found: readonly Pick<GridSeries, 'present'>[],
): void {
  const [at] = call.args
  phis?.forEach((phi, i) => {
    if ((phi >= 0 && phi <= 1) || at === undefined) return
    if (found.some(({ present }) => present[i] === 1)) run.notes.warn(annotationTexts.badQuantile(phi), at)
  })
}

function hasNumbers({ present, histograms }: GridSeries): boolean {
  return histograms == null || present.some((is, i) => is === 1 && histograms[i] === null)
}

/** The points of a subquery's series. What is known of resets between histograms does not hold between those that it picks. */
function toSamples(series: GridSeries, grid: Grid): Series & { readonly dropName: boolean } {
  let count = 0
  for (const is of series.present) count += is
  const timestamps = new Float64Array(count)
  const values = new Float64Array(count)
  const histograms = series.histograms == null ? null : new Array<FloatHistogram | null>(count).fill(null)
  let next = 0
  for (let i = 0; i < grid.count; i += 1) {
    if (series.present[i] !== 1) continue
    timestamps[next] = timeAt(grid, i)
    values[next] = series.values[i] as number
    if (histograms !== null) histograms[next] = withoutResetHint(series.histograms?.[i] ?? null)
    next += 1
  }
  const { labels, dropName } = series
  return {
    labels,
    dropName,
    timestamps,
    values,
    stale: null,
    histograms: histograms === null ? null : histogramList(histograms),
  }
}

function withoutResetHint(histogram: FloatHistogram | null): FloatHistogram | null {
  if (histogram === null || histogram.counterResetHint === 'gauge') return histogram
  return { ...histogram, counterResetHint: 'unknown' }
}
