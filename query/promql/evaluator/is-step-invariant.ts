import { childrenOf, type Expr } from '../ast.ts'

/** Functions that look at the time they are evaluated at, whatever their arguments are. */
const DEPENDS_ON_TIME = new Set([
  ...['day_of_month', 'day_of_week', 'day_of_year', 'days_in_month', 'hour', 'minute', 'month', 'year'],
  ...['predict_linear', 'time', 'timestamp'],
])

/** Whether an expression says the same at every step, as all its selectors are pinned by `@`: Prometheus evaluates it once. */
export function isStepInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'vectorSelector':
    case 'subquery':
      return expr.at !== null
    case 'aggregate':
      // So Prometheus does: the parameter is not looked at.
      return isStepInvariant(expr.expr)
    case 'call':
      // The sample a pinned selector selects has the same time at every step.
      if (expr.name === 'timestamp' && expr.args[0]?.kind === 'vectorSelector')
        return isStepInvariant(expr.args[0])
      return !DEPENDS_ON_TIME.has(expr.name) && expr.args.every(isStepInvariant)
    default:
      return childrenOf(expr).every(isStepInvariant)
  }
}
