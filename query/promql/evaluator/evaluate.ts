import { negateHistogram } from '../../../model/histogram/scale-histogram.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { Expr, UnaryExpr } from '../ast.ts'
import { sampleSize } from '../sample-size.ts'
import { evaluateAggregate } from './evaluate-aggregate.ts'
import { evaluateBinary } from './evaluate-binary.ts'
import { evaluateCall } from './evaluate-call.ts'
import { evaluateSelector } from './evaluate-selector.ts'
import { type Evaluation, mergeEqualLabels, withoutName } from './evaluation.ts'
import type { Grid, GridSeries, GridValue } from './grid.ts'
import { evaluateSmoothed } from './smoothed-selector.ts'
import { computedValue } from './use-grids.ts'

/** The type of {@link evaluate}, for nodes that evaluate what is below them. */
export type Evaluate = (run: Evaluation, expr: Expr, grid: Grid) => Promise<GridValue>

/**
 * Evaluates an expression that is no range vector at every moment of a grid. Everything below it is evaluated on the same grid, but for
 * subqueries, which have their own.
 */
export async function evaluate(run: Evaluation, expr: Expr, grid: Grid): Promise<GridValue> {
  const value = computedValue(run, expr) ?? (await evaluateNode(run, expr, grid))
  if (value.type === 'vector') run.spend(sizeOf(value.series, grid))
  return value
}

/** How many samples a vector has, as Prometheus counts them: a native histogram by its size. */
function sizeOf(series: readonly GridSeries[], grid: Grid): number {
  let size = series.length * grid.count
  for (const { histograms } of series) {
    if (histograms == null) continue
    for (const histogram of histograms) if (histogram !== null) size += sampleSize(histogram) - 1
  }
  return size
}

async function evaluateNode(run: Evaluation, expr: Expr, grid: Grid): Promise<GridValue> {
  switch (expr.kind) {
    case 'number':
      return { type: 'scalar', values: new Float64Array(grid.count).fill(expr.value) }
    case 'string':
      return { type: 'string', value: expr.value }
    case 'paren':
      return evaluate(run, expr.expr, grid)
    case 'unary':
      return evaluateUnary(run, expr, grid)
    case 'vectorSelector':
      // An anchored selector of single moments is one like any other.
      if (expr.bounds === 'smoothed')
        return { type: 'vector', series: await evaluateSmoothed(run, expr, grid) }
      return { type: 'vector', series: await evaluateSelector(run, expr, grid) }
    case 'binary':
      return evaluateBinary(run, expr, grid, evaluate)
    case 'aggregate':
      return { type: 'vector', series: await evaluateAggregate(run, expr, grid, evaluate) }
    case 'call':
      return evaluateCall(run, expr, grid, evaluate)
    case 'matrixSelector':
    case 'subquery':
      throw new AppError('INTERNAL', 'Cannot evaluate a range vector at single moments')
  }
}

async function evaluateUnary(run: Evaluation, expr: UnaryExpr, grid: Grid): Promise<GridValue> {
  const value = await evaluate(run, expr.expr, grid)
  if (expr.op === '+' || value.type === 'string') return value
  if (value.type === 'scalar') return { type: 'scalar', values: value.values.map((number) => -number) }
  const negated = value.series.map((series) => ({
    ...series,
    ...withoutName(run, series.labels),
    values: series.values.map((number) => -number),
    histograms: series.histograms?.map((one) => (one === null ? null : negateHistogram(one))) ?? null,
  }))
  return { type: 'vector', series: mergeEqualLabels(negated) }
}
