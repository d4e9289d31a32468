import { childrenOf, type DurationExpr, type Expr, type TimeShift } from '../ast.ts'

/** What the answer of an expression at a moment depends on. */
export interface QueryReach {
  /** How far before the moment samples are read, milliseconds. */
  readonly windowMs: number
  /** The latest sample read at a moment is this much before it, milliseconds; negative: behind it. Infinity: all are read at fixed times. */
  readonly leadMs: number
  /** The latest sample read at a fixed time (`@ 1600000000`), epoch milliseconds; -Infinity: none. */
  readonly latestFixedMs: number
  /** Names that selectors ask for; null when one of them does not ask for one name. */
  readonly metrics: ReadonlySet<string> | null
}

interface Frame {
  /** The moment is a fixed one, told by an `@` around; null: it moves with the query's grid. */
  readonly fixedMs: number | null
  /** How far before that moment. */
  readonly backMs: number
  readonly windowMs: number
}

/**
 * Finds out what an expression depends on, as it is evaluated: durations, `@ end()` and `info` are worked out (`resolveDurations`, `resolveContext`,
 * `resolveInfo`) for the query's own range and step. `defaultStepMs`: of subqueries that name no resolution.
 */
export function reachOf(
  expr: Expr,
  options: { readonly lookbackMs: number; readonly defaultStepMs: number },
): QueryReach {
  let windowMs = 0
  let leadMs = Number.POSITIVE_INFINITY
  let latestFixedMs = Number.NEGATIVE_INFINITY
  let metrics: Set<string> | null = new Set()

  const shifted = (node: TimeShift, frame: Frame, moreMs: number): Frame => {
    const isFixed = node.at?.kind === 'time'
    return {
      fixedMs: isFixed ? node.at.ms : frame.fixedMs,
      backMs: (isFixed ? 0 : frame.backMs) + node.offsetMs,
      windowMs: (isFixed ? 0 : frame.windowMs) + moreMs,
    }
  }
  const visit = (node: Expr, frame: Frame, rangeMs: number): void => {
    switch (node.kind) {
      case 'vectorSelector': {
        const at = shifted(node, frame, Math.max(rangeMs, 0) + options.lookbackMs)
        // Between two samples, of which one is behind the window.
        const aheadMs = node.bounds === 'smoothed' ? options.lookbackMs : 0
        windowMs = Math.max(windowMs, at.windowMs + Math.max(0, at.backMs))
        if (at.fixedMs === null) leadMs = Math.min(leadMs, at.backMs - aheadMs)
        else latestFixedMs = Math.max(latestFixedMs, at.fixedMs - at.backMs + aheadMs)
        const name = node.matchers.find(({ name, op }) => name === '__name__' && op === '=')?.value
        if (name === undefined) metrics = null
        else metrics?.add(name)
        return
      }
      case 'matrixSelector':
        visit(node.selector, frame, node.rangeMs)
        return
      case 'subquery': {
        const stepMs = node.stepMs > 0 ? node.stepMs : options.defaultStepMs
        visit(node.expr, shifted(node, frame, node.rangeMs + stepMs), 0)
        return
      }
      case 'call':
        // It looks up series that no selector of the query names.
        if (node.name === 'info') metrics = null
    }
    for (const child of childrenOf(node)) visit(child, frame, 0)
  }
  visit(expr, { fixedMs: null, backMs: 0, windowMs: 0 }, 0)
  return { windowMs, leadMs, latestFixedMs, metrics }
}

/**
 * Whether an expression, as it is written, asks for the whole query's range beside the moment: `@ end()`, `start()`, `[range()]`, `step()`. Then no part of the range can be
 * answered on its own.
 */
export function needsWholeRange(expr: Expr): boolean {
  const isBound = (at: TimeShift['at']) => at !== null && at.kind !== 'time'
  const isComputed = (...durations: readonly (DurationExpr | null)[]) =>
    durations.some((duration) => duration !== null && asksForRange(duration))
  switch (expr.kind) {
    case 'vectorSelector':
      return isBound(expr.at) || isComputed(expr.offsetExpr)
    case 'matrixSelector':
      return isComputed(expr.rangeExpr) || needsWholeRange(expr.selector)
    case 'subquery':
      if (isBound(expr.at) || isComputed(expr.rangeExpr, expr.stepExpr, expr.offsetExpr)) return true
      break
    case 'call':
      if (OF_THE_QUERY.has(expr.name)) return true
  }
  return childrenOf(expr).some(needsWholeRange)
}

/** `step()` too: a query of one moment has none. */
const OF_THE_QUERY: ReadonlySet<string> = new Set(['start', 'end', 'range', 'step'])

function asksForRange(duration: DurationExpr): boolean {
  switch (duration.kind) {
    case 'number':
      return false
    case 'call':
      return true
    case 'unary':
    case 'paren':
      return asksForRange(duration.expr)
    case 'binary':
      return asksForRange(duration.lhs) || asksForRange(duration.rhs)
  }
}
