import { childrenOf, typeOf } from '../../query/promql/ast.ts'
import { parseExpression } from '../../query/promql/parse-expression.ts'
import type { Answer, Question } from './ask.ts'
import { compareAnswers } from './compare-answers.ts'

/** What differs less than that, relatively, differs in the last digits only. */
const LAST_DIGITS = 1e-11

/**
 * Whether two answers differ because a single operation makes much of little: `ceil(x)`, `x == y`, `x - y` where what goes in is the same on both sides
 * but for the last digits, which no order of additions promises. `askBoth` asks the operands, which must be answered equally, and not to
 * the last bit.
 */
export async function isRounding(
  question: Question,
  askBoth: (question: Question) => Promise<{ readonly theirs: Answer; readonly ours: Answer }>,
): Promise<boolean> {
  let operands: string[]
  try {
    const expr = parseExpression(question.expr)
    operands = childrenOf(expr)
      .filter((child) => typeOf(child) === 'vector' || typeOf(child) === 'scalar')
      .map(({ range }) => question.expr.slice(range.start, range.end))
  } catch {
    return false
  }
  let isInexact = false
  for (const expr of operands) {
    const { theirs, ours } = await askBoth({ ...question, expr })
    if (compareAnswers(theirs, ours, { tolerance: LAST_DIGITS }) !== null) return false
    if (compareAnswers(theirs, ours, { tolerance: 0 }) !== null) isInexact = true
  }
  return isInexact
}
