import { AppError } from '../../runtime/errors.ts'
import type { DurationExpr, Expr, VectorSelector } from './ast.ts'
import { type DurationContextMs, evaluateDuration } from './evaluate-duration.ts'
import { toMs } from './parse-duration-expression.ts'
import { positionOf } from './parse-error.ts'

/**
 * The same expression with every computed duration worked out: `rangeMs`, `stepMs`, `offsetMs` hold their values, the expressions
 * stay for printing. Returns the very same tree when nothing is computed. `text` is the query, for positions. Throws AppError
 * QUERY_PARSE_FAILED when a range or resolution is not more than zero or a duration is not finite.
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
        const inner = selector(node.selector)
        if (node.rangeExpr === null && inner === node.selector) return node
        return { ...node, selector: inner, rangeMs: positive(node.rangeExpr, node.rangeMs) }
      }
      case 'subquery': {
        const inner = resolve(node.expr)
        if (inner === node.expr && (node.rangeExpr ?? node.stepExpr ?? node.offsetExpr) === null) return node
        return {
          ...node,
          expr: inner,
          rangeMs: positive(node.rangeExpr, node.rangeMs),
          stepMs: positive(node.stepExpr, node.stepMs),
          offsetMs: offset(node.offsetExpr, node.offsetMs),
        }
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
  const seconds = evaluateDuration(duration, context) ?? Number.NaN
  if (!Number.isFinite(seconds)) throw broken(text, duration, 'duration is not finite')
  return toMs(seconds)
}

function broken(text: string, duration: DurationExpr, reason: string): AppError {
  const { line, column } = positionOf(text, duration.range.start)
  return new AppError('QUERY_PARSE_FAILED', `${line}:${column}: ${reason}`, {
    details: { line, column, start: duration.range.start, end: duration.range.end, reason },
  })
}
