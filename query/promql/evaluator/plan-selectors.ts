import {
  type AtModifier,
  childrenOf,
  type Expr,
  type Subquery,
  type TimeShift,
  type VectorSelector,
} from '../ast.ts'
import { endOf, type Grid, gridBetween, timeAt } from './grid.ts'

/** Which samples of a selector a query needs: those in (fromMs, toMs]. */
export interface PlannedSelector {
  readonly selector: VectorSelector
  readonly fromMs: number
  readonly toMs: number
}

/** What a plan depends on beside the expression. */
export interface PlanOptions {
  /** The whole query's grid. */
  readonly top: Grid
  readonly lookbackMs: number
  readonly defaultStepMs: number
}

/** Every selector of an expression that is evaluated on `grid`, with the samples it needs. */
export function planSelectors(expr: Expr, grid: Grid, options: PlanOptions): PlannedSelector[] {
  if (grid.count === 0) return []
  switch (expr.kind) {
    case 'vectorSelector': {
      const { lookbackMs, top } = options
      return [{ selector: expr, ...bounds(expr, lookbackMs, isSmoothed(expr) ? lookbackMs : 0, grid, top) }]
    }
    case 'matrixSelector': {
      const { lookbackMs, top } = options
      const { selector, rangeMs } = expr
      const backMs = selector.bounds === '' ? rangeMs : rangeMs + lookbackMs
      return [{ selector, ...bounds(selector, backMs, isSmoothed(selector) ? lookbackMs : 0, grid, top) }]
    }
    case 'subquery':
      return planSelectors(expr.expr, subqueryGrid(expr, grid, options), options)
    default:
      return childrenOf(expr).flatMap((child) => planSelectors(child, grid, options))
  }
}

/** The moment that a selector or subquery means at the i-th moment of a grid, `@` and `offset` applied. */
export function referenceTime(shift: TimeShift, grid: Grid, index: number, top: Grid): number {
  return (shift.at === null ? timeAt(grid, index) : fixedTime(shift.at, top)) - shift.offsetMs
}

/**
 * The grid on which a subquery's expression is evaluated: multiples of its step, so that they do not depend on when
 * one asks, from the first in its window to the end.
 */
export function subqueryGrid(
  node: Subquery,
  grid: Grid,
  options: Pick<PlanOptions, 'top' | 'defaultStepMs'>,
): Grid {
  const stepMs = node.stepMs > 0 ? node.stepMs : options.defaultStepMs
  const firstMs = referenceTime(node, grid, 0, options.top) - node.rangeMs
  const endMs = referenceTime(node, grid, grid.count - 1, options.top)
  let startMs = stepMs * Math.trunc(firstMs / stepMs)
  if (startMs <= firstMs) startMs += stepMs
  return gridBetween(startMs, endMs, stepMs)
}

function bounds(selector: VectorSelector, backMs: number, aheadMs: number, grid: Grid, top: Grid) {
  return {
    fromMs: referenceTime(selector, grid, 0, top) - backMs,
    toMs: referenceTime(selector, grid, grid.count - 1, top) + aheadMs,
  }
}

function isSmoothed(selector: VectorSelector): boolean {
  return selector.bounds === 'smoothed'
}

function fixedTime(at: AtModifier, top: Grid): number {
  if (at.kind === 'time') return at.ms
  return at.kind === 'start' ? top.startMs : endOf(top)
}
