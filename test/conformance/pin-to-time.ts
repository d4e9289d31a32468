import { childrenOf, type Expr, type VectorSelector } from '../../query/promql/ast.ts'
import { parseExpression } from '../../query/promql/parse-expression.ts'
import { printExpression } from '../../query/promql/print-expression.ts'

/** Functions whose answer depends on when one asks, whatever their arguments. */
const TIME_DEPENDENT = new Set([
  'days_in_month',
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'hour',
  'minute',
  'month',
  'year',
  'predict_linear',
  'time',
  'timestamp',
  'start',
  'end',
  'step',
  'range',
])

/**
 * The same query with `@` the given time on every selector and outermost subquery that has none. Null when its answer would still depend on
 * when one asks, or it cannot be parsed.
 */
export function pinToTime(query: string, timeMs: number): string | null {
  try {
    const expr = parseExpression(query)
    return isTimeDependent(expr) ? null : printExpression(pin(expr, timeMs))
  } catch {
    return null
  }
}

function isTimeDependent(expr: Expr): boolean {
  if (expr.kind === 'call' && TIME_DEPENDENT.has(expr.name)) return true
  if (expr.kind === 'vectorSelector' || expr.kind === 'subquery') {
    if (expr.at?.kind === 'start' || expr.at?.kind === 'end') return true
  }
  return childrenOf(expr).some(isTimeDependent)
}

function pin(expr: Expr, ms: number): Expr {
  const at = { kind: 'time', ms } as const
  const selector = (node: VectorSelector): VectorSelector => (node.at === null ? { ...node, at } : node)
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr
    case 'vectorSelector':
      return selector(expr)
    case 'matrixSelector':
      return { ...expr, selector: selector(expr.selector) }
    case 'subquery':
      return expr.at === null ? { ...expr, at } : expr
    case 'unary':
    case 'paren':
      return { ...expr, expr: pin(expr.expr, ms) }
    case 'binary':
      return { ...expr, lhs: pin(expr.lhs, ms), rhs: pin(expr.rhs, ms) }
    case 'aggregate':
      return { ...expr, expr: pin(expr.expr, ms), param: expr.param === null ? null : pin(expr.param, ms) }
    case 'call':
      return { ...expr, args: expr.args.map((arg) => pin(arg, ms)) }
  }
}
