import { labelValue, METRIC_NAME } from '../../../model/labels.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { Call, Expr, MatrixSelector, Subquery } from '../ast.ts'
import type { Series } from '../series-source.ts'
import { forMetric } from './annotations.ts'
import type { Evaluate } from './evaluate.ts'
import { samplesOf } from './evaluate-selector.ts'
import { type Evaluation, executionError, mergeEqualLabels, notSupported, withoutName } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere, timeAt } from './grid.ts'
import { OVER_TIME_FUNCTIONS } from './over-time-functions.ts'
import { referenceTime, subqueryGrid } from './plan-selectors.ts'
import type { RangeFunction, RangeWindow } from './range-window.ts'
import { RATE_FUNCTIONS } from './rate-functions.ts'

const FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map(
  Object.entries({ ...RATE_FUNCTIONS, ...OVER_TIME_FUNCTIONS }),
)
/** These give samples as they are, so the name still fits. */
const KEEPS_NAME = new Set(['last_over_time', 'first_over_time'])
const COUNTER_SUFFIX = /_(total|sum|count|bucket)$/

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
  const range = call.args.find((arg) => isRange(arg))
  const compute = FUNCTIONS.get(call.name)
  if (range === undefined || compute === undefined) throw notSupported(run, call.name, call)
  const parameters = await readParameters(run, call, grid, evaluate)
  const input = await evaluateRange(run, range, grid, evaluate)
  const found: GridSeries[] = []
  for (const series of input.series) {
    const named = KEEPS_NAME.has(call.name)
      ? { labels: series.labels, dropName: series.dropName }
      : withoutName(run, series.labels)
    const result = emptySeries(named.labels, named.dropName, grid)
    slide(run, input.node, series, grid, parameters, (window, i) => {
      const value = compute(window)
      if (value === undefined) return
      result.values[i] = value
      result.present[i] = 1
    })
    if (isAnywhere(result)) found.push(result)
    await run.breathe()
  }
  noteDoubts(run, call, range, found, input)
  return mergeEqualLabels(found)
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
      if (expr.selector.bounds !== '') throw notSupported(run, expr.selector.bounds, expr)
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

/**
 * Calls `visit` for every moment whose window holds samples. The window is one object that changes from call to call.
 */
export function slide(
  run: Pick<Evaluation, 'top'>,
  node: MatrixSelector | Subquery,
  { timestamps, values }: Series,
  grid: Grid,
  parameters: readonly Float64Array[],
  visit: (window: RangeWindow, index: number) => void,
): void {
  const shift = node.kind === 'subquery' ? node : node.selector
  const window: RangeWindow = {
    times: timestamps,
    values,
    from: 0,
    to: 0,
    startMs: 0,
    endMs: 0,
    atMs: 0,
    parameters: [],
  }
  for (let i = 0; i < grid.count; i += 1) {
    window.atMs = timeAt(grid, i)
    window.endMs = referenceTime(shift, grid, i, run.top)
    window.startMs = window.endMs - node.rangeMs
    while (window.to < timestamps.length && (timestamps[window.to] as number) <= window.endMs) window.to += 1
    while (window.from < window.to && (timestamps[window.from] as number) <= window.startMs) window.from += 1
    if (window.from === window.to) continue
    if (parameters.length > 0) window.parameters = parameters.map((values) => values[i] as number)
    visit(window, i)
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
    if (call.name !== 'quantile_over_time') continue
    const bad = value.values.find((phi) => !(phi >= 0 && phi <= 1))
    if (bad !== undefined) run.notes.warn(badQuantile(bad), arg)
  }
  if (call.name === 'double_exponential_smoothing') checkSmoothing(parameters)
  return parameters
}

/** What is said about a φ that is none. */
export function badQuantile(phi: number): string {
  const text = Math.abs(phi) === Number.POSITIVE_INFINITY ? (phi > 0 ? '+Inf' : '-Inf') : String(phi)
  return `quantile value should be between 0 and 1, got ${text}`
}

function checkSmoothing(parameters: readonly Float64Array[]): void {
  for (const [index, name] of ['smoothing', 'trend'].entries()) {
    const bad = parameters[index]?.find((factor) => !(factor > 0 && factor < 1))
    if (bad === undefined) continue
    throw executionError(
      `invalid ${name} factor. Expected: 0 < ${name === 'trend' ? 'tf' : 'sf'} < 1, got: ${bad}`,
    )
  }
}

function noteDoubts(
  run: Evaluation,
  call: Call,
  range: Expr,
  found: readonly GridSeries[],
  input: RangeInput,
): void {
  if (call.name !== 'rate' && call.name !== 'increase') return
  if (found.length === 0) return
  for (const { labels } of input.series) {
    const name = labelValue(labels, METRIC_NAME)
    if (name === '' || COUNTER_SUFFIX.test(name)) continue
    run.notes.inform(
      `metric might not be a counter, name does not end in _total/_sum/_count/_bucket:${forMetric(name).slice(' for metric name'.length)}`,
      range,
    )
  }
}

function toSamples(series: GridSeries, grid: Grid): Series & { readonly dropName: boolean } {
  const timestamps: number[] = []
  const values: number[] = []
  for (let i = 0; i < grid.count; i += 1) {
    if (series.present[i] !== 1) continue
    timestamps.push(timeAt(grid, i))
    values.push(series.values[i] as number)
  }
  return {
    labels: series.labels,
    dropName: series.dropName,
    timestamps: Float64Array.from(timestamps),
    values: Float64Array.from(values),
    stale: null,
  }
}
