import { quoteText } from '../../../model/labels.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { AggregateExpr, Expr } from '../ast.ts'
import { type Group, groupSeries, type ReducingOp, reduceGroup } from './aggregate.ts'
import { combineGroup } from './aggregate-histograms.ts'
import { annotationTexts } from './annotation-texts.ts'
import type { Evaluate } from './evaluate.ts'
import { type Evaluation, executionError } from './evaluation.ts'
import { type Grid, type GridSeries, isAnywhere, withoutHistograms } from './grid.ts'
import { isLabelName } from './label-functions.ts'
import { limitRatio } from './limit-ratio.ts'
import { countValues, readCounts, selectFromGroups } from './select-from-groups.ts'

/** An aggregation on a grid. */
export async function evaluateAggregate(
  run: Evaluation,
  node: AggregateExpr,
  grid: Grid,
  evaluate: Evaluate,
): Promise<readonly GridSeries[]> {
  const parameter = node.param === null ? null : await evaluate(run, node.param, grid)
  const value = await evaluate(run, node.expr, grid)
  if (value.type !== 'vector') throw new AppError('INTERNAL', `Cannot aggregate a ${value.type}`)
  await run.breathe()
  switch (node.op) {
    case 'count_values': {
      const name = parameter?.type === 'string' ? parameter.value : ''
      if (!isLabelName(name)) throw executionError(`invalid label name ${nameAsWritten(run, node, name)}`)
      return countValues(node, name, value.series, grid)
    }
    case 'topk':
    case 'bottomk': {
      const counts = readCounts(numbersOf(parameter))
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
    const isCombined = (op === 'sum' || op === 'avg') && hasHistograms(group)
    const result = isCombined
      ? combineGroup(op, group, grid, run.notes, node.expr)
      : reduceGroup(op, group, grid, phi)
    if (isAnywhere(result)) found.push(result)
    await run.breathe()
  }
  return found
}

const TAKES_HISTOGRAMS: ReadonlySet<string> = new Set(['sum', 'avg', 'count', 'group'])

function hasHistograms({ members }: Group): boolean {
  return members.some(({ histograms }) => histograms != null)
}

/** Leaves out the native histograms that an aggregation has no use for, and tells so. */
function ignoreHistograms(
  run: Evaluation,
  { op }: AggregateExpr,
  at: Expr,
  series: readonly GridSeries[],
): readonly GridSeries[] {
  if (!series.some(({ histograms }) => histograms != null)) return series
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
