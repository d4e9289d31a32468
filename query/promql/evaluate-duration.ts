import type { DurationExpr } from './ast.ts'

/** What a computed duration may refer to, milliseconds: `step()` and `range()`. */
export interface DurationContextMs {
  /** The query's resolution; 0 for an instant query. */
  readonly stepMs: number
  /** From the query's start to its end; 0 for an instant query. */
  readonly rangeMs: number
}

/**
 * The value of a computed duration, seconds; may be infinite or NaN (a division by zero). Null when the context is null and the
 * expression depends on it.
 */
export function evaluateDuration(expr: DurationExpr, context: DurationContextMs | null): number | null {
  switch (expr.kind) {
    case 'number':
      return expr.seconds
    case 'call':
      if (context === null) return null
      return (expr.name === 'step' ? context.stepMs : context.rangeMs) / 1000
    case 'paren':
      return evaluateDuration(expr.expr, context)
    case 'unary': {
      const value = evaluateDuration(expr.expr, context)
      return value === null || expr.op === '+' ? value : -value
    }
    case 'binary': {
      const lhs = evaluateDuration(expr.lhs, context)
      const rhs = evaluateDuration(expr.rhs, context)
      return lhs === null || rhs === null ? null : combine(expr.op, lhs, rhs)
    }
  }
}

function combine(op: (DurationExpr & { kind: 'binary' })['op'], lhs: number, rhs: number): number {
  switch (op) {
    case '+':
      return lhs + rhs
    case '-':
      return lhs - rhs
    case '*':
      return lhs * rhs
    case '/':
      return lhs / rhs
    case '%':
      return lhs % rhs
    case '^':
      return lhs ** rhs
    case 'min_of':
      return Math.min(lhs, rhs)
    case 'max_of':
      return Math.max(lhs, rhs)
  }
}
