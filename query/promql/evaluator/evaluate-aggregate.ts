import { quoteText } from '../../../model/labels.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { AggregateExpr, Expr } from '../ast.ts'
import { groupSeries, reduceGroups } from './aggregate.ts'
import type { Evaluate } from './evaluate.ts'
import { badQuantile } from './evaluate-range-function.ts'
import { type Evaluation, executionError, notSupported } from './evaluation.ts'
import type { Grid, GridSeries } from './grid.ts'
import { isLabelName } from './label-functions.ts'
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
      if (!isLabelName(name)) throw executionError(`invalid label name ${quoteText(name)}`)
      return countValues(node, name, value.series, grid)
    }
    case 'topk':
    case 'bottomk':
    case 'limitk': {
      const counts = readCounts(numbersOf(parameter))
      return selectFromGroups(node.op, groupSeries(node, value.series), grid, counts)
    }
    case 'quantile': {
      const phi = numbersOf(parameter)
      noteBadQuantile(run, phi, node.param)
      return reduceGroups('quantile', groupSeries(node, value.series), grid, phi)
    }
    case 'limit_ratio':
      if (numbersOf(parameter).some(Number.isNaN)) throw executionError('Ratio value is NaN')
      throw notSupported(run, node.op, node)
    default:
      return reduceGroups(node.op, groupSeries(node, value.series), grid, new Float64Array(0))
  }
}

function numbersOf(parameter: Awaited<ReturnType<Evaluate>> | null): Float64Array {
  if (parameter?.type === 'scalar') return parameter.values
  throw new AppError('INTERNAL', 'Cannot aggregate: the parameter is no scalar')
}

function noteBadQuantile(run: Evaluation, phi: Float64Array, at: Expr | null): void {
  const bad = phi.find((value) => !(value >= 0 && value <= 1))
  if (bad !== undefined && at !== null) run.notes.warn(badQuantile(bad), at)
}
