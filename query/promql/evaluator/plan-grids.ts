import {
  type AggregateExpr,
  type Call,
  childrenOf,
  type Expr,
  type MatrixSelector,
  type VectorSelector,
} from '../ast.ts'
import type { GridAggregation, GridFunction, GridRequest } from '../series-source.ts'
import { rangeFunctions } from './evaluate-range-function.ts'
import type { Grid } from './grid.ts'
import { type PlanOptions, referenceTime, subqueryGrid } from './plan-selectors.ts'

/** A part of an expression that is computed from one selector series by series: the selector, a function of it, an aggregation of that. */
export interface GridUnit {
  readonly node: VectorSelector | Call | AggregateExpr
  readonly selector: VectorSelector
  /** What is computed: an instant selector (`latest`), or the function of that name. */
  readonly name: string
  /** The function's other arguments. */
  readonly parameters: readonly number[]
  /** The part of it without the aggregation; null: there is none. */
  readonly inner: GridUnit | null
  /** The call's argument, where annotations point to; null: there is no call. */
  readonly range: MatrixSelector | null
  /** The grid on which the node is evaluated. */
  readonly grid: Grid
  /** All windows end at the same moment, which stands for every moment of the grid. */
  readonly isConstant: boolean
  readonly request: Pick<GridRequest, 'matchers' | 'windowMs' | 'moments' | 'aggregate' | 'fromMs' | 'toMs'>
}

/** What of a unit a source may be able to compute by itself; null: it cannot be asked for that. */
export function computedFunction({ name }: GridUnit): GridFunction | null {
  return COMPUTED.has(name) ? (name as GridFunction) : null
}

/** Functions whose arguments are looked at as selectors, not as values. */
const READS_SELECTORS = new Set(['timestamp', 'start_timestamp', 'info', 'absent_over_time'])
const COMPUTED = new Set<string>([
  'latest',
  'last_over_time',
  'present_over_time',
  'rate',
  'increase',
  'delta',
  'irate',
  'idelta',
  'resets',
  'changes',
] satisfies GridFunction[])
const AGGREGATIONS = new Set<string>([
  'sum',
  'avg',
  'min',
  'max',
  'count',
  'group',
] satisfies GridAggregation[])

/** The largest such parts of an expression that is evaluated on `grid`. None contains another. */
export function planGrids(expr: Expr, grid: Grid, options: PlanOptions): GridUnit[] {
  if (grid.count === 0) return []
  const unit = unitOf(expr, grid, options)
  if (unit !== null) return [unit]
  if (expr.kind === 'subquery') return planGrids(expr.expr, subqueryGrid(expr, grid, options), options)
  if (expr.kind === 'matrixSelector') return []
  if (expr.kind === 'call' && READS_SELECTORS.has(expr.name)) return []
  return childrenOf(expr).flatMap((child) => planGrids(child, grid, options))
}

function unitOf(expr: Expr, grid: Grid, options: PlanOptions): GridUnit | null {
  if (expr.kind !== 'aggregate') return plainUnit(expr, grid, options)
  if (!AGGREGATIONS.has(expr.op) || expr.param !== null) return null
  // Names that begin so are taken away from series at one time or another.
  if (expr.grouping.some((name) => name.startsWith('__'))) return null
  const inner = plainUnit(unwrap(expr.expr), grid, options)
  if (inner === null) return null
  const { grouping, isWithout } = expr
  const aggregate = { op: expr.op as GridAggregation, grouping, isWithout }
  return { ...inner, node: expr, inner, request: { ...inner.request, aggregate } }
}

function plainUnit(expr: Expr, grid: Grid, options: PlanOptions): GridUnit | null {
  if (expr.kind === 'vectorSelector') {
    const what = { selector: expr, range: null, name: 'latest', parameters: [], windowMs: options.lookbackMs }
    return makeUnit(expr, what, grid, options)
  }
  if (expr.kind !== 'call' || rangeFunctions(expr.name) === undefined) return null
  const args = expr.args.map(unwrap)
  const range = args.find((arg) => arg.kind === 'matrixSelector')
  const parameters = args.flatMap((arg) => (arg.kind === 'number' ? [arg.value] : []))
  if (range === undefined || parameters.length + 1 < args.length || !areGood(expr.name, parameters))
    return null
  const { selector, rangeMs } = range
  const what = { selector, range, name: expr.name, parameters, windowMs: rangeMs }
  return makeUnit(expr, what, grid, options)
}

/** Whether there is nothing to be said about parameters; of most functions they are left to the evaluation. */
function areGood(name: string, [phi, ...others]: readonly number[]): boolean {
  if (phi === undefined) return true
  return name === 'quantile_over_time' && phi >= 0 && phi <= 1 && others.length === 0
}

function makeUnit(
  node: VectorSelector | Call,
  what: Pick<GridUnit, 'selector' | 'range' | 'name' | 'parameters'> & { readonly windowMs: number },
  grid: Grid,
  { top }: PlanOptions,
): GridUnit | null {
  const { selector, range, name, parameters, windowMs } = what
  if (selector.bounds !== '') return null
  const isConstant = selector.at !== null
  const startMs = referenceTime(selector, grid, 0, top)
  const moments = { startMs, stepMs: grid.stepMs, count: isConstant ? 1 : grid.count }
  const request = {
    matchers: selector.matchers,
    windowMs,
    moments,
    aggregate: null,
    fromMs: startMs - windowMs,
    toMs: startMs + (moments.count - 1) * moments.stepMs,
  }
  return { node, selector, range, grid, isConstant, name, parameters, inner: null, request }
}

function unwrap(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrap(expr.expr) : expr
}
