import { type Labels, NO_LABELS, quoteText } from '../../../model/labels.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { AggregateExpr, AggregateOp, Call, Expr } from '../ast.ts'
import { createGrouping, groupSeries, quantileOfGroup, type ReducingOp, reduceGroup } from './aggregate.ts'
import { annotationTexts } from './annotation-texts.ts'
import { countValues } from './count-values.ts'
import type { Evaluate } from './evaluate.ts'
import {
  computeAll,
  isRangeFunction,
  prepareRangeFunction,
  type RangedFunction,
} from './evaluate-range-function.ts'
import { type Evaluation, executionError } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere, withoutHistograms } from './grid.ts'
import { GROUP_REDUCERS, type GroupReducer, type RunningOp } from './group-reducers.ts'
import { combineHistograms } from './histogram-reducers.ts'
import { isLabelName } from './label-functions.ts'
import { limitRatio } from './limit-ratio.ts'
import { readCounts, selectFromGroups } from './select-from-groups.ts'

/** An aggregation on a grid. */
export async function evaluateAggregate(
  run: Evaluation,
  node: AggregateExpr,
  grid: Grid,
  evaluate: Evaluate,
): Promise<readonly GridSeries[]> {
  const parameter = node.param === null ? null : await evaluate(run, node.param, grid)
  const call = rangeCallOf(run, node.expr)
  if (call !== null && isRunningOp(node.op)) {
    return aggregateRange(run, node, node.op, await prepareRangeFunction(run, call, grid, evaluate), grid)
  }
  const value = await evaluate(run, node.expr, grid)
  if (value.type !== 'vector') throw new AppError('INTERNAL', `Cannot aggregate a ${value.type}`)
  await run.breathe()
  switch (node.op) {
    case 'count_values': {
      const name = parameter?.type === 'string' ? parameter.value : ''
      if (!isLabelName(name)) throw executionError(`invalid label name ${nameAsWritten(run, node, name)}`)
      return countValues(run, node, name, value.series, grid)
    }
    case 'topk':
    case 'bottomk': {
      const counts = readCounts(numbersOf(parameter))
      if (counts.every((count) => count < 1)) return []
      const numbers = ignoreHistograms(run, node, node, value.series)
      return selectFromGroups(node.op, groupSeries(node, numbers), grid, counts)
    }
    case 'limitk': {
      const counts = readCounts(numbersOf(parameter))
      return selectFromGroups(node.op, groupSeries(node, value.series), grid, counts)
    }
    case 'quantile': {
      const phi = numbersOf(parameter)
      noteBadQuantiles(run, phi, node.param)
      return reduceGroups(run, node, 'quantile', value.series, grid, phi)
    }
    case 'limit_ratio':
      return limitRatio(run, value.series, numbersOf(parameter), node.param ?? node)
    default:
      return reduceGroups(run, node, node.op, value.series, grid, new Float64Array(0))
  }
}

/** A name that cannot be told as it is, as bytes that are no UTF-8, stands as in the query. */
function nameAsWritten({ text }: Evaluation, { param }: AggregateExpr, name: string): string {
  const isUnreadable = name.includes('\ufffd') && param !== null
  return isUnreadable ? text.slice(param.range.start, param.range.end) : quoteText(name)
}

async function reduceGroups(
  run: Evaluation,
  node: AggregateExpr,
  op: ReducingOp,
  series: readonly GridSeries[],
  grid: Grid,
  phi: Float64Array,
): Promise<GridSeries[]> {
  const counted = TAKES_HISTOGRAMS.has(op) ? series : ignoreHistograms(run, node, node.expr, series)
  const found: GridSeries[] = []
  for (const group of groupSeries(node, counted)) {
    const result =
      op === 'quantile'
        ? quantileOfGroup(group, grid, phi)
        : reduceGroup(group, grid, createReducer(run, node, op, grid, hasHistograms(group.members)))
    if (isAnywhere(result)) found.push(result)
    await run.breathe()
  }
  return found
}

/** Native histograms must have been left out where an aggregation has no use for them. */
function createReducer(
  { notes }: Evaluation,
  { expr }: AggregateExpr,
  op: RunningOp,
  { count }: Grid,
  hasHistogram: boolean,
): GroupReducer {
  return hasHistogram && (op === 'sum' || op === 'avg')
    ? combineHistograms(op, count, notes, expr)
    : GROUP_REDUCERS[op](count)
}

/** The function of a range vector whose values are aggregated; null when it is something else, or has been computed already. */
function rangeCallOf(run: Evaluation, expr: Expr): Call | null {
  if (run.computed.has(expr)) return null
  if (expr.kind === 'paren') return rangeCallOf(run, expr.expr)
  return expr.kind === 'call' && expr.name !== 'absent_over_time' && isRangeFunction(expr.name) ? expr : null
}

function isRunningOp(op: AggregateOp): op is RunningOp {
  return Object.hasOwn(GROUP_REDUCERS, op)
}

/** Aggregates a function of a range vector: where that can be, series by series, so that its values are not all kept. */
async function aggregateRange(
  run: Evaluation,
  node: AggregateExpr,
  op: RunningOp,
  ranged: RangedFunction,
  grid: Grid,
): Promise<GridSeries[]> {
  const { series } = ranged.input
  const hasHistogram = hasHistograms(series)
  if (!ranged.areDifferent || (hasHistogram && !TAKES_HISTOGRAMS.has(op))) {
    const all = await computeAll(run, ranged, grid)
    run.spend(all.length * grid.count)
    return reduceGroups(run, node, op, all, grid, new Float64Array(0))
  }
  const { keyOf, labelsOf } = createGrouping(node)
  const groups = new Map<string, { labels: Labels; dropName: boolean; reducer: GroupReducer }>()
  const scratch = emptySeries(NO_LABELS, false, grid)
  let count = 0
  for (const one of series) {
    scratch.present.fill(0)
    scratch.histograms = null
    if (ranged.compute(one, scratch)) {
      count += 1
      run.spend(count * grid.count)
      const { labels, dropName } = ranged.named(one)
      const key = keyOf(labels)
      let group = groups.get(key)
      if (group === undefined) {
        const reducer = createReducer(run, node, op, grid, hasHistogram)
        group = { labels: labelsOf(labels), dropName: false, reducer }
        groups.set(key, group)
      }
      if (dropName) group.dropName = true
      group.reducer.add({ ...scratch, labels })
      ranged.finish([scratch])
    }
    const rest = run.breathe()
    if (rest !== undefined) await rest
  }
  const found = [...groups.values()].map(({ labels, dropName, reducer }) => {
    const result = emptySeries(labels, dropName, grid)
    reducer.finish(result)
    return result
  })
  // Histograms and numbers may have come to nothing.
  return found.filter(isAnywhere)
}

const TAKES_HISTOGRAMS: ReadonlySet<string> = new Set(['sum', 'avg', 'count', 'group'])

function hasHistograms(series: readonly { readonly histograms?: unknown }[]): boolean {
  return series.some(({ histograms }) => histograms != null)
}

/** Leaves out the native histograms that an aggregation has no use for, and tells so. */
function ignoreHistograms(
  run: Evaluation,
  { op }: AggregateExpr,
  at: Expr,
  series: readonly GridSeries[],
): readonly GridSeries[] {
  if (!hasHistograms(series)) return series
  const isIgnored = series.some(({ present, histograms }) =>
    histograms?.some((histogram, i) => histogram !== null && present[i] === 1),
  )
  if (isIgnored) run.notes.inform(annotationTexts.ignoredInAggregation(op), at)
  return series.map(withoutHistograms)
}

function numbersOf(parameter: Awaited<ReturnType<Evaluate>> | null): Float64Array {
  if (parameter?.type === 'scalar') return parameter.values
  throw new AppError('INTERNAL', 'Cannot aggregate: the parameter is no scalar')
}

/** Of all φ that are none, the greatest and the least are told. */
function noteBadQuantiles(run: Evaluation, phis: Float64Array, at: Expr | null): void {
  if (at === null) return
  if (phis.some(Number.isNaN)) run.notes.warn(annotationTexts.badQuantile(Number.NaN), at)
  const numbers = phis.filter((phi) => !Number.isNaN(phi))
  const greatest = numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const least = numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  if (greatest > 1) run.notes.warn(annotationTexts.badQuantile(greatest), at)
  if (least < 0) run.notes.warn(annotationTexts.badQuantile(least), at)
}
