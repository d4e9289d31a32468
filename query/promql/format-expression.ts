import type { Expr } from './ast.ts'
import { printAggregation, printExpression, printOperator, subquerySuffix } from './print-expression.ts'

/** An expression that fits into so many characters stays in one line. */
const WIDTH = 100

/**
 * Lays an expression out for reading, as Prometheus' `format_query`: what does not fit into 100 characters is split at its parts, which are indented
 * by two spaces. What it writes reads as the same expression again; comments are lost.
 */
export function formatExpression(expr: Expr): string {
  return format(expr, 0)
}

function format(expr: Expr, level: number): string {
  const indent = '  '.repeat(level)
  const line = printExpression(expr)
  if (Buffer.byteLength(line) <= WIDTH) return indent + line
  switch (expr.kind) {
    case 'aggregate': {
      const param = expr.param === null ? '' : `${format(expr.param, level + 1)},\n`
      return `${indent}${printAggregation(expr)}(\n${param}${format(expr.expr, level + 1)}\n${indent})`
    }
    case 'binary': {
      const [lhs, rhs] = [format(expr.lhs, level + 1), format(expr.rhs, level + 1)]
      return `${lhs}\n${indent}${printOperator(expr)}\n${rhs}`
    }
    case 'call': {
      const args = expr.args.map((arg) => format(arg, level + 1)).join(',\n')
      return `${indent}${expr.name}(\n${args}\n${indent})`
    }
    case 'paren':
      return `${indent}(\n${format(expr.expr, level + 1)}\n${indent})`
    case 'subquery':
      return format(expr.expr, level) + subquerySuffix(expr)
    case 'unary':
      return indent + expr.op + format(expr.expr, level).trimStart()
    default:
      return indent + line
  }
}
