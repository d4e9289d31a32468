import { childrenOf, type Expr } from '../ast.ts'
import type { Grid } from './grid.ts'
import { type PlanOptions, subqueryGrid } from './plan-selectors.ts'

/** At how many moments the part of an expression is evaluated that is evaluated most often: a subquery has a grid of its own. */
export function largestGrid(
  expr: Expr,
  grid: Grid,
  options: Pick<PlanOptions, 'top' | 'defaultStepMs'>,
): number {
  if (grid.count === 0) return 0
  if (expr.kind === 'subquery') return largestGrid(expr.expr, subqueryGrid(expr, grid, options), options)
  return Math.max(grid.count, ...childrenOf(expr).map((child) => largestGrid(child, grid, options)))
}
