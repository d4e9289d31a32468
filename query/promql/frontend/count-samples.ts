import { childrenOf, type Expr, typeOf } from '../ast.ts'
import { parseExpression } from '../parse-expression.ts'
import { printExpression } from '../print-expression.ts'
import type { QueryEngine, RangeQuery } from '../query-engine.ts'

/** Samples that the steps of a query look at: in total, and `[epoch milliseconds, samples]` of each step, ascending. */
export interface SampleCounts {
  readonly total: number
  readonly perStep: readonly (readonly [number, number])[]
}

/**
 * Counts the samples that each step of a query looks at, as Prometheus' statistics do: one for each series of an instant selector, all in the window of a range
 * selector, all points of a subquery in its window, and nothing of what those points are made of. Asks the engine once for each selector.
 */
export async function countSamples(engine: QueryEngine, query: RangeQuery): Promise<SampleCounts> {
  const perStep = new Map<number, number>()
  for (let ms = query.startMs; ms <= query.endMs; ms += query.stepMs) perStep.set(ms, 0)
  for (const expr of countingExpressions(parseExpression(query.expr))) {
    const result = await engine.range({ ...query, expr })
    if (result.type !== 'matrix') continue
    for (const { timestamps, values } of result.matrix) {
      for (const [i, ms] of timestamps.entries()) perStep.set(ms, (perStep.get(ms) ?? 0) + (values[i] ?? 0))
    }
  }
  const steps = [...perStep]
  return { total: steps.reduce((sum, [, count]) => sum + count, 0), perStep: steps }
}

/** For every selector the expression that counts what it gives. */
function countingExpressions(expr: Expr): string[] {
  switch (expr.kind) {
    case 'vectorSelector':
      return [`count(${printExpression(expr)})`]
    case 'matrixSelector':
      return [`sum(count_over_time(${printExpression(expr)}))`]
    case 'subquery':
      return [`sum(count_over_time(${printExpression(expr)}))`]
    default:
      return childrenOf(expr)
        .filter((child) => typeOf(child) !== 'string')
        .flatMap(countingExpressions)
  }
}
