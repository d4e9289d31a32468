import { AppError } from '../../runtime/errors.ts'
import type { DurationExpr, Expr, TextRange, VectorSelector } from './ast.ts'
import { type DurationContextMs, evaluateDuration } from './evaluate-duration.ts'
import { toWholeMs } from './parse-duration-expression.ts'
import { positionOf } from './parse-error.ts'
import { LONGEST_DURATION_S } from './parse-number.ts'

/**
 * The same expression with every computed duration worked out: `rangeMs`, `stepMs`, `offsetMs` hold their values, the expressions
 * stay for printing. Returns the very same tree when nothing is computed. `text` is the query, for positions. Throws AppError
 * QUERY_PARSE_FAILED when a range or resolution is not more than zero, a duration too long, or a divisor zero; of several such errors
 * it is the one Prometheus names.
 */
export function resolveDurations(text: string, expr: Expr, context: DurationContextMs): Expr {
  const offset = (duration: DurationExpr | null, known: number): number =>
    duration === null ? known : milliseconds(text, duration, context)
  const positive = (duration: DurationExpr | null, known: number): number => {
    const ms = offset(duration, known)
    if (duration !== null && ms <= 0) throw broken(text, duration, 'duration must be greater than 0')
    return ms
  }
  const selector = (node: VectorSelector): VectorSelector =>
    node.offsetExpr === null ? node : { ...node, offsetMs: offset(node.offsetExpr, node.offsetMs) }

  const resolve = (node: Expr): Expr => {
    switch (node.kind) {
      case 'number':
      case 'string':
        return node
      case 'vectorSelector':
        return selector(node)
      case 'matrixSelector': {
        const rangeMs = positive(node.rangeExpr, node.rangeMs)
        const inner = selector(node.selector)
        return node.rangeExpr === null && inner === node.selector
          ? node
          : { ...node, selector: inner, rangeMs }
      }
      case 'subquery': {
        const offsetMs = offset(node.offsetExpr, node.offsetMs)
        const stepMs = positive(node.stepExpr, node.stepMs)
        const rangeMs = positive(node.rangeExpr, node.rangeMs)
        const inner = resolve(node.expr)
        if (inner === node.expr && (node.rangeExpr ?? node.stepExpr ?? node.offsetExpr) === null) return node
        return { ...node, expr: inner, rangeMs, stepMs, offsetMs }
      }
      case 'unary':
      case 'paren': {
        const inner = resolve(node.expr)
        return inner === node.expr ? node : { ...node, expr: inner }
      }
      case 'binary': {
        const lhs = resolve(node.lhs)
        const rhs = resolve(node.rhs)
        return lhs === node.lhs && rhs === node.rhs ? node : { ...node, lhs, rhs }
      }
      case 'aggregate': {
        const inner = resolve(node.expr)
        const param = node.param === null ? null : resolve(node.param)
        return inner === node.expr && param === node.param ? node : { ...node, expr: inner, param }
      }
      case 'call': {
        const args = node.args.map(resolve)
        return args.every((arg, index) => arg === node.args[index]) ? node : { ...node, args }
      }
    }
  }
  return resolve(expr)
}

function milliseconds(text: string, duration: DurationExpr, context: DurationContextMs): number {
  const divisor = zeroDivisor(duration, context)
  if (divisor !== null) {
    throw broken(text, divisor, divisor.op === '/' ? 'division by zero' : 'modulo by zero')
  }
  const seconds = evaluateDuration(duration, context) ?? Number.NaN
  if (!Number.isFinite(seconds)) throw broken(text, duration, 'duration is NaN or infinite')
  if (Math.abs(seconds) > LONGEST_DURATION_S) throw broken(text, duration, 'duration is out of range')
  return toWholeMs(seconds)
}

/** The first division whose right side is zero. */
function zeroDivisor(
  expr: DurationExpr,
  context: DurationContextMs,
): (DurationExpr & { readonly kind: 'binary' }) | null {
  switch (expr.kind) {
    case 'number':
    case 'call':
      return null
    case 'unary':
    case 'paren':
      return zeroDivisor(expr.expr, context)
    case 'binary': {
      const inner = zeroDivisor(expr.lhs, context) ?? zeroDivisor(expr.rhs, context)
      if (inner !== null) return inner
      const isDivision = expr.op === '/' || expr.op === '%'
      return isDivision && evaluateDuration(expr.rhs, context) === 0 ? expr : null
    }
  }
}

/** The error as Prometheus words it: the place is not line and column, but the bytes from which and to which the duration stands. */
function broken(text: string, duration: DurationExpr, reason: string): AppError {
  const { start, end } = rangeOf(duration)
  const [from, to] = [start, end].map((offset) => Buffer.byteLength(text.slice(0, offset)))
  const { line, column } = positionOf(text, start)
  return new AppError('QUERY_PARSE_FAILED', `${from}:${to}: ${reason}`, {
    details: { line, column, start, end, reason },
  })
}

/** Parentheses are no part of an expression that they stand around. */
function rangeOf(duration: DurationExpr): TextRange {
  switch (duration.kind) {
    case 'number':
    case 'call':
      return duration.range
    case 'paren': {
      const inner = rangeOf(duration.expr)
      return duration.expr.kind === 'number' ? { start: duration.range.start, end: inner.end } : inner
    }
    case 'unary':
      return { start: duration.range.start, end: rangeOf(duration.expr).end }
    case 'binary':
      if (duration.op === 'min_of' || duration.op === 'max_of') return duration.range
      return { start: rangeOf(duration.lhs).start, end: rangeOf(duration.rhs).end }
  }
}
