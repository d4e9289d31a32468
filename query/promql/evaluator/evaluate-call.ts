import type { FloatHistogram } from '../../../model/float-histogram.ts'
import {
  histogramAverage,
  histogramDeviation,
  histogramVariance,
} from '../../../model/histogram/histogram-variance.ts'
import { type Labels, labelsFrom, METRIC_NAME, NO_LABELS } from '../../../model/labels.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { Call, Expr, VectorSelector } from '../ast.ts'
import { DATE_FUNCTIONS } from './date-functions.ts'
import type { Evaluate } from './evaluate.ts'
import {
  createWindows,
  evaluateRange,
  evaluateRangeFunction,
  isRangeFunction,
} from './evaluate-range-function.ts'
import { evaluateSelector } from './evaluate-selector.ts'
import { type Evaluation, mergeEqualLabels, notSupported, withoutName } from './evaluation.ts'
import { refuseExtended } from './extended-windows.ts'
import { emptySeries, endOf, type Grid, type GridSeries, type GridValue, isAnywhere, timeAt } from './grid.ts'
import { histogramFraction, histogramQuantile, histogramQuantiles } from './histogram-functions.ts'
import { addInfo } from './info-function.ts'
import { isStepInvariant } from './is-step-invariant.ts'
import { labelJoin, labelReplace } from './label-functions.ts'
import { larger, MATH_FUNCTIONS, PARAMETER_FUNCTIONS, smaller } from './math-functions.ts'
import { sortByLabels, sortByValue } from './sort-series.ts'

type Vector = readonly GridSeries[]

/** One call in evaluation: reads its arguments by position. Type-checked before, so a wrong type is a bug of ours. */
interface CallContext {
  readonly run: Evaluation
  readonly call: Call
  readonly grid: Grid
  readonly evaluate: Evaluate
  arg(index: number): Expr
  vector(index: number): Promise<Vector>
  scalar(index: number): Promise<Float64Array>
  text(index: number): Promise<string>
}

type Implementation = (context: CallContext) => Promise<GridValue> | GridValue

/** A call of a function on a grid. Throws QUERY_NOT_SUPPORTED for a function that is not there yet. */
export async function evaluateCall(
  run: Evaluation,
  call: Call,
  grid: Grid,
  evaluate: Evaluate,
): Promise<GridValue> {
  const implementation = IMPLEMENTATIONS.get(call.name)
  if (implementation !== undefined) return implementation(contextOf(run, call, grid, evaluate))
  if (isRangeFunction(call.name)) {
    return vectorOf(await evaluateRangeFunction(run, call, grid, evaluate))
  }
  throw notSupported(run, call.name, call)
}

const IMPLEMENTATIONS: ReadonlyMap<string, Implementation> = new Map<string, Implementation>([
  ...Object.entries(MATH_FUNCTIONS).map(([name, compute]) => named(name, mapValues(compute))),
  ...Object.entries(PARAMETER_FUNCTIONS).map(([name, compute]) => named(name, mapWithParameters(compute))),
  ...Object.entries(DATE_FUNCTIONS).map(([name, compute]) => named(name, mapTimes(compute))),
  named('vector', async (context) =>
    vectorOf([
      {
        labels: NO_LABELS,
        dropName: false,
        values: await context.scalar(0),
        present: new Uint8Array(context.grid.count).fill(1),
      },
    ]),
  ),
  named('scalar', async (context) => scalarOf(onlyElement(await context.vector(0), context.grid))),
  named('time', ({ grid }) => scalarOf(timesInSeconds(grid))),
  named('pi', ({ grid }) => constant(grid, Math.PI)),
  named('start', ({ run, grid }) => constant(grid, run.top.startMs / 1000)),
  named('end', ({ run, grid }) => constant(grid, endOf(run.top) / 1000)),
  named('range', ({ run, grid }) => constant(grid, (endOf(run.top) - run.top.startMs) / 1000)),
  named('step', ({ run, grid }) => constant(grid, run.top.count > 1 ? run.top.stepMs / 1000 : 0)),
  named('min_of', async (context) => combine(context, smaller)),
  named('max_of', async (context) => combine(context, larger)),
  named('timestamp', timestamps),
  named('start_timestamp', startTimestamps),
  named('info', info),
  named('absent', async (context) => absent(context, await presence(context), false)),
  named('absent_over_time', async (context) => {
    return absent(context, await rangePresence(context), context.run.isNameRemovalDelayed)
  }),
  named('sort', (context) => sorted(context, 'ascending')),
  named('sort_desc', (context) => sorted(context, 'descending')),
  named('sort_by_label', (context) => sortedByLabels(context, 'ascending')),
  named('sort_by_label_desc', (context) => sortedByLabels(context, 'descending')),
  named('label_replace', async (context) =>
    vectorOf(labelReplace(await context.vector(0), await texts(context, 1))),
  ),
  named('label_join', async (context) =>
    vectorOf(labelJoin(await context.vector(0), await texts(context, 1))),
  ),
  named(
    'histogram_count',
    mapHistograms(({ count }) => count),
  ),
  named(
    'histogram_sum',
    mapHistograms(({ sum }) => sum),
  ),
  named('histogram_avg', mapHistograms(histogramAverage)),
  named('histogram_stddev', mapHistograms(histogramDeviation)),
  named('histogram_stdvar', mapHistograms(histogramVariance)),
  named('histogram_quantile', async (context) => {
    const phi = { values: await context.scalar(0), at: context.arg(0) }
    const vector = { series: await context.vector(1), at: context.arg(1) }
    return vectorOf(histogramQuantile(context.run, context.grid, phi, vector))
  }),
  named('histogram_quantiles', async (context) => {
    const vector = { series: await context.vector(0), at: context.arg(0) }
    const phis: { readonly values: Float64Array; readonly at: Expr }[] = []
    for (let index = 2; index < context.call.args.length; index += 1) {
      phis.push({ values: await context.scalar(index), at: context.arg(index) })
    }
    const name = await context.text(1)
    return vectorOf(histogramQuantiles(context.run, context.grid, phis, name, vector))
  }),
  named('histogram_fraction', async (context) => {
    const bounds = {
      lower: { values: await context.scalar(0), at: context.arg(0) },
      upper: { values: await context.scalar(1), at: context.arg(1) },
    }
    const vector = { series: await context.vector(2), at: context.arg(2) }
    return vectorOf(histogramFraction(context.run, context.grid, bounds, vector))
  }),
])

function named(name: string, implementation: Implementation): [string, Implementation] {
  return [name, implementation]
}

function mapValues(compute: (value: number) => number): Implementation {
  return async (context) =>
    vectorOf(await mapSeries(context.run, await context.vector(0), (value) => compute(value)))
}

function mapWithParameters(
  compute: (value: number, parameters: readonly number[]) => number,
): Implementation {
  return async (context) => {
    const series = await context.vector(0)
    const parameters: Float64Array[] = []
    for (let index = 1; index < context.call.args.length; index += 1)
      parameters.push(await context.scalar(index))
    // Nothing can be between bounds that are the wrong way round.
    const isEmpty = (i: number) =>
      context.call.name === 'clamp' && (parameters[0]?.[i] as number) > (parameters[1]?.[i] as number)
    const current = parameters.map(() => 0)
    const computeAt = (value: number, i: number) => {
      if (isEmpty(i)) return undefined
      for (let k = 0; k < current.length; k += 1) current[k] = parameters[k]?.[i] as number
      return compute(value, current)
    }
    return vectorOf(await mapSeries(context.run, series, computeAt))
  }
}

function mapTimes(compute: (seconds: number) => number): Implementation {
  return async (context) => {
    const { run, grid, call } = context
    if (call.args.length > 0) return vectorOf(await mapSeries(run, await context.vector(0), compute))
    const present = new Uint8Array(grid.count).fill(1)
    const values = timesInSeconds(grid).map((seconds) => compute(seconds))
    return vectorOf([{ labels: NO_LABELS, dropName: false, values, present }])
  }
}

/** Native histograms are left out. */
async function mapSeries(
  run: Evaluation,
  series: Vector,
  compute: (value: number, index: number) => number | undefined,
): Promise<Vector> {
  const found: GridSeries[] = []
  for (const one of series) {
    const values = new Float64Array(one.values.length)
    const present = new Uint8Array(one.values.length)
    const { histograms } = one
    for (let i = 0; i < values.length; i += 1) {
      if (one.present[i] !== 1 || (histograms != null && histograms[i] !== null)) continue
      const value = compute(one.values[i] as number, i)
      if (value === undefined) continue
      values[i] = value
      present[i] = 1
    }
    const { labels, dropName } = withoutName(run, one.labels)
    const result = { labels, dropName, values, present, histograms: null }
    if (isAnywhere(result)) found.push(result)
    const rest = run.breathe()
    if (rest !== undefined) await rest
  }
  return mergeEqualLabels(found)
}

/** A number of each native histogram; numbers are left out. */
function mapHistograms(compute: (histogram: FloatHistogram) => number): Implementation {
  return async (context) => {
    const results = (await context.vector(0)).map((one) => {
      const { labels, dropName } = withoutName(context.run, one.labels)
      const result = emptySeries(labels, dropName, context.grid)
      one.histograms?.forEach((histogram, i) => {
        if (histogram === null || one.present[i] !== 1) return
        result.values[i] = compute(histogram)
        result.present[i] = 1
      })
      return result
    })
    return vectorOf(mergeEqualLabels(results.filter(isAnywhere)))
  }
}

async function timestamps(context: CallContext): Promise<GridValue> {
  const { run, grid } = context
  const arg = unwrap(context.arg(0))
  if (arg.kind !== 'vectorSelector') {
    const series = await context.vector(0)
    const times = series.map((one) => ({ ...one, histograms: null }))
    return vectorOf(await mapSeries(run, times, (_, i) => timeAt(grid, i) / 1000))
  }
  const series = await evaluateSelector(run, arg, grid, 'times')
  return vectorOf(await mapSeries(run, series, (seconds) => seconds))
}

/** When the counters behind samples began; of anything but a selector that is not known. */
async function startTimestamps(context: CallContext): Promise<GridValue> {
  const { run, grid } = context
  const arg = unwrap(context.arg(0))
  if (arg.kind !== 'vectorSelector' || !run.usesStartTimestamps) return vectorOf([])
  const series = await evaluateSelector(run, arg, grid, 'starts')
  return vectorOf(await mapSeries(run, series, (seconds) => seconds))
}

async function info(context: CallContext): Promise<GridValue> {
  const { run, grid } = context
  const selector = context.arg(1)
  if (selector.kind !== 'vectorSelector')
    throw new AppError('INTERNAL', 'Cannot call info: no label selectors')
  const input = {
    base: await context.vector(0),
    infos: await evaluateSelector(run, selector, grid),
    times: await evaluateSelector(run, selector, grid, 'times'),
    matchers: selector.matchers,
  }
  return vectorOf(addInfo(run, input, grid))
}

/** The only number, NaN where there is none or more than one. */
function onlyElement(series: Vector, grid: Grid): Float64Array {
  const counts = new Uint8Array(grid.count)
  const values = new Float64Array(grid.count).fill(Number.NaN)
  for (const one of series) {
    for (let i = 0; i < grid.count; i += 1) {
      if (one.present[i] !== 1 || one.histograms?.[i] != null) continue
      values[i] = counts[i] === 0 ? (one.values[i] as number) : Number.NaN
      counts[i] = 1
    }
  }
  return values
}

async function presence(context: CallContext): Promise<Uint8Array> {
  const present = new Uint8Array(context.grid.count)
  for (const series of await context.vector(0)) {
    for (let i = 0; i < present.length; i += 1) {
      if (series.present[i] === 1) present[i] = 1
    }
  }
  return present
}

async function rangePresence({ run, grid, evaluate, arg }: CallContext): Promise<Uint8Array> {
  const present = new Uint8Array(grid.count)
  const input = await evaluateRange(run, arg(0), grid, evaluate)
  refuseExtended(input.node, 'absent_over_time')
  const windowsOf = createWindows(run, input.node, grid, [], arg(0))
  for (const series of input.series) {
    const { floats, histograms } = windowsOf(series)
    for (let i = 0; i < present.length; i += 1) {
      if (floats.from[i] !== floats.to[i]) present[i] = 1
      if (histograms !== null && histograms.from[i] !== histograms.to[i]) present[i] = 1
    }
  }
  return present
}

function absent(context: CallContext, present: Uint8Array, dropName: boolean): GridValue {
  const result = emptySeries(absentLabels(unwrap(context.arg(0))), dropName, context.grid)
  result.values.fill(1)
  for (let i = 0; i < present.length; i += 1) result.present[i] = present[i] === 1 ? 0 : 1
  return vectorOf([result].filter(isAnywhere))
}

/** Labels that an absent series would have for certain: those that a selector asks for once, by `=`. */
function absentLabels(expr: Expr): Labels {
  const selector: VectorSelector | null =
    expr.kind === 'vectorSelector' ? expr : expr.kind === 'matrixSelector' ? expr.selector : null
  const labels = new Map<string, string>()
  const seen = new Set<string>()
  for (const { name, op, value } of selector?.matchers ?? []) {
    if (name === METRIC_NAME) continue
    if (op === '=' && !seen.has(name)) {
      labels.set(name, value)
      seen.add(name)
    } else labels.delete(name)
  }
  return labelsFrom(labels)
}

const SORT_WARNING = 'sort is ineffective for range queries since results are always ordered by labels'

/** What is evaluated once is sorted, though nobody sees it: there is nothing to warn of. */
function noteSorting({ grid, call, run }: CallContext): void {
  if (grid.count > 1 && !isStepInvariant(call)) run.notes.warn(SORT_WARNING, call)
}

async function sorted(context: CallContext, order: 'ascending' | 'descending'): Promise<GridValue> {
  noteSorting(context)
  return vectorOf(sortByValue(await context.vector(0), order))
}

async function sortedByLabels(context: CallContext, order: 'ascending' | 'descending'): Promise<GridValue> {
  noteSorting(context)
  const series = await context.vector(0)
  return vectorOf(sortByLabels(series, await texts(context, 1), order))
}

async function combine(context: CallContext, choose: (a: number, b: number) => number): Promise<GridValue> {
  const [a, b] = [await context.scalar(0), await context.scalar(1)]
  return scalarOf(a.map((value, i) => choose(value, b[i] as number)))
}

async function texts(context: CallContext, from: number): Promise<string[]> {
  const all: string[] = []
  for (let index = from; index < context.call.args.length; index += 1) all.push(await context.text(index))
  return all
}

function contextOf(run: Evaluation, call: Call, grid: Grid, evaluate: Evaluate): CallContext {
  const wrong = (index: number, found: string) =>
    new AppError('INTERNAL', `Cannot call ${call.name}: argument ${index + 1} is a ${found}`)
  const arg = (index: number): Expr => {
    const found = call.args[index]
    if (found === undefined) throw wrong(index, 'hole')
    return found
  }
  const value = async <Type extends GridValue['type']>(index: number, type: Type) => {
    const found = await evaluate(run, arg(index), grid)
    if (found.type !== type) throw wrong(index, found.type)
    return found as Extract<GridValue, { readonly type: Type }>
  }
  return {
    run,
    call,
    grid,
    evaluate,
    arg,
    vector: async (index) => (await value(index, 'vector')).series,
    scalar: async (index) => (await value(index, 'scalar')).values,
    text: async (index) => (await value(index, 'string')).value,
  }
}

function unwrap(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrap(expr.expr) : expr
}

function timesInSeconds(grid: Grid): Float64Array {
  return new Float64Array(grid.count).map((_, i) => timeAt(grid, i) / 1000)
}

function vectorOf(series: Vector): GridValue {
  return { type: 'vector', series }
}

function scalarOf(values: Float64Array): GridValue {
  return { type: 'scalar', values }
}

function constant(grid: Grid, value: number): GridValue {
  return scalarOf(new Float64Array(grid.count).fill(value))
}
