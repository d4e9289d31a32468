import { METRIC_NAME, quoteText } from '../../model/labels.ts'
import { compileMatcher } from '../../model/matcher.ts'
import {
  type AggregateExpr,
  type BinaryExpr,
  type Call,
  type Expr,
  type TextRange,
  typeOf,
  type ValueType,
  type VectorSelector,
} from './ast.ts'
import { FUNCTIONS } from './functions-table.ts'
import { parseError } from './parse-error.ts'

/**
 * Checks that an expression means something: the types of operands and arguments, their number, what may be matched. The rules, their
 * order and the messages are Prometheus' (`checkAST`). Throws AppError QUERY_PARSE_FAILED for the first that is broken.
 */
export function checkTypes(text: string, expr: Expr): void {
  check(
    expr,
    (range, reason) => {
      throw parseError(text, range, reason)
    },
    text,
  )
}

type Fail = (range: TextRange, reason: string) => never

const DOCUMENTED: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
}

function check(expr: Expr, fail: Fail, text: string): ValueType {
  switch (expr.kind) {
    case 'aggregate':
      checkAggregation(expr, fail, text)
      break
    case 'binary':
      checkBinary(expr, fail, text)
      break
    case 'call':
      checkCall(expr, fail, text)
      break
    case 'paren':
      check(expr.expr, fail, text)
      break
    case 'unary': {
      const type = check(expr.expr, fail, text)
      if (type !== 'scalar' && type !== 'vector') {
        fail(
          expr.range,
          `unary expression only allowed on expressions of type scalar or instant vector, got ${quoteText(DOCUMENTED[type])}`,
        )
      }
      break
    }
    case 'subquery': {
      const type = check(expr.expr, fail, text)
      if (type !== 'vector') {
        fail(expr.range, `subquery is only allowed on instant vector, got ${type} instead`)
      }
      break
    }
    case 'matrixSelector':
      checkSelector(expr.selector, fail)
      break
    case 'vectorSelector':
      checkSelector(expr, fail)
      break
    case 'number':
    case 'string':
      break
  }
  return typeOf(expr)
}

function checkAggregation(expr: AggregateExpr, fail: Fail, text: string): void {
  expectType(expr.expr, 'vector', 'aggregation expression', fail, text)
  if (expr.param === null) return
  const wanted = expr.op === 'count_values' ? 'string' : 'scalar'
  expectType(expr.param, wanted, 'aggregation parameter', fail, text)
}

function expectType(expr: Expr, wanted: ValueType, context: string, fail: Fail, text: string): void {
  const type = check(expr, fail, text)
  if (type !== wanted) {
    fail(expr.range, `expected type ${DOCUMENTED[wanted]} in ${context}, got ${DOCUMENTED[type]}`)
  }
}

function checkBinary(expr: BinaryExpr, fail: Fail, text: string): void {
  const { op, lhs, rhs, matching } = expr
  const left = check(lhs, fail, text)
  const right = check(rhs, fail, text)
  const isComparison = COMPARISONS.has(op)
  const isSetOp = op === 'and' || op === 'or' || op === 'unless'
  if (expr.returnBool && !isComparison) {
    fail(operatorRange(expr, text), 'bool modifier can only be used on comparison operators')
  }
  if (isComparison && !expr.returnBool && left === 'scalar' && right === 'scalar') {
    fail(operatorRange(expr, text), 'comparisons between scalars must use BOOL modifier')
  }
  for (const label of matching?.isOn === true ? matching.labels : []) {
    if (matching?.include.includes(label) === true) {
      fail(
        operatorRange(expr, text),
        `label ${quoteText(label)} must not occur in ON and GROUP clause at once`,
      )
    }
  }
  const onlyScalarsAndVectors = 'binary expression must contain only scalar and instant vector types'
  if (left !== 'scalar' && left !== 'vector') fail(lhs.range, onlyScalarsAndVectors)
  if (right !== 'scalar' && right !== 'vector') fail(rhs.range, onlyScalarsAndVectors)
  const isFilled = matching !== null && (matching.fillLeft !== null || matching.fillRight !== null)
  if (left !== 'vector' || right !== 'vector') {
    if (matching !== null && matching.labels.length > 0) {
      fail(expr.range, 'vector matching only allowed between instant vectors')
    }
    if (isFilled) fail(expr.range, 'filling in missing series only allowed between instant vectors')
  } else if (isSetOp) {
    if (matching !== null && matching.card !== 'many-to-many') {
      fail(expr.range, `no grouping allowed for ${quoteText(op)} operation`)
    }
    if (isFilled) fail(expr.range, 'filling in missing series not allowed for set operators')
  }
  if ((left === 'scalar' || right === 'scalar') && isSetOp) {
    fail(expr.range, `set operator ${quoteText(op)} not allowed in binary scalar expression`)
  }
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<=', '<', '>=', '>'])

/** From the operator to what stands before the right side, without the space around. */
function operatorRange(expr: BinaryExpr, text: string): TextRange {
  const between = text.slice(expr.lhs.range.end, expr.rhs.range.start)
  const start = expr.lhs.range.end + (between.length - between.trimStart().length)
  return { start, end: start + between.trim().length }
}

function checkCall(expr: Call, fail: Fail, text: string): void {
  const signature = FUNCTIONS.get(expr.name)
  if (signature === undefined) {
    fail(expr.range, `unknown function with name ${quoteText(expr.name)}`)
    return
  }
  const { argTypes, variadic } = signature
  const given = expr.args.length
  const name = quoteText(expr.name)
  if (variadic === 0) {
    if (given !== argTypes.length) {
      fail(expr.range, `expected ${argTypes.length} argument(s) in call to ${name}, got ${given}`)
    }
  } else {
    const least = argTypes.length - 1
    if (given < least)
      fail(expr.range, `expected at least ${least} argument(s) in call to ${name}, got ${given}`)
    if (variadic > 0 && given > least + variadic) {
      fail(expr.range, `expected at most ${least + variadic} argument(s) in call to ${name}, got ${given}`)
    }
  }
  const isInfo = expr.name === 'info'
  if (isInfo) checkInfoSelector(expr, fail)
  expr.args.forEach((arg, index) => {
    const wanted = argTypes[Math.min(index, argTypes.length - 1)]
    // The second argument of info() selects labels; it need not say which metric.
    const type = isInfo && index === 1 ? typeOf(arg) : check(arg, fail, text)
    if (wanted !== undefined && type !== wanted) {
      fail(
        arg.range,
        `expected type ${DOCUMENTED[wanted]} in call to function ${name}, got ${DOCUMENTED[type]}`,
      )
    }
  })
}

function checkInfoSelector(expr: Call, fail: Fail): void {
  const selector = expr.args[1]
  if (selector === undefined) return
  const type = typeOf(selector)
  if (type !== 'vector') {
    fail(expr.range, `expected type instant vector in call to function "info", got ${DOCUMENTED[type]}`)
  }
  if (selector.kind !== 'vectorSelector') fail(selector.range, 'expected label selectors only')
  else if (selector.name !== '') {
    fail(selector.range, 'expected label selectors only, got vector selector instead')
  }
}

function checkSelector(selector: VectorSelector, fail: Fail): void {
  const { name, matchers, range } = selector
  if (name !== '') {
    const twice = matchers.slice(0, -1).find((matcher) => matcher.name === METRIC_NAME)
    if (twice !== undefined) {
      fail(range, `metric name must not be set twice: ${quoteText(name)} or ${quoteText(twice.value)}`)
    }
    return
  }
  if (matchers.every((matcher) => compileMatcher(matcher)(''))) {
    fail(range, 'vector selector must contain at least one non-empty matcher')
  }
}
