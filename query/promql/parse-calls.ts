import { quoteText } from '../../model/labels.ts'
import type { AggregateExpr, AggregateOp, Call, Expr } from './ast.ts'
import { FUNCTIONS } from './functions-table.ts'
import { parseError } from './parse-error.ts'
import { parseGrouping } from './parse-matching.ts'
import { isMetricName } from './parse-selector.ts'
import { finish, type ParserState } from './parser-state.ts'
import type { Token } from './token.ts'

const WITH_PARAMETER: ReadonlySet<string> = new Set([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
])

/** Whether a word that was taken begins an aggregation; otherwise it is the name of a metric. */
export function isAggregation(state: ParserState, token: Token): boolean {
  const { cursor } = state
  return (
    token.kind === 'aggregator' && (cursor.isNext('(') || cursor.isNext('by') || cursor.isNext('without'))
  )
}

/** Reads an aggregation whose name was taken. Throws AppError QUERY_PARSE_FAILED. */
export function parseAggregation(state: ParserState, name: Token, parseArgument: () => Expr): AggregateExpr {
  const { cursor } = state
  let grouping = parseByOrWithout(state)
  if (!cursor.isNext('(')) throw cursor.unexpected('aggregation', '')
  state.aggregations += 1
  const args = parseArguments(state, parseArgument)
  state.aggregations -= 1
  grouping ??= parseByOrWithout(state)
  const range = cursor.rangeFrom(name.start)
  const fail = (reason: string): Error => parseError(cursor.text, range, reason)

  const op = name.word as AggregateOp
  if (args.length === 0) throw fail('no arguments for aggregate expression provided')
  if (!state.allowExperimental && (op === 'limitk' || op === 'limit_ratio')) {
    throw fail(
      `${op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`,
    )
  }
  const wanted = WITH_PARAMETER.has(op) ? 2 : 1
  const expr = args[wanted - 1]
  if (args.length !== wanted || expr === undefined) {
    throw fail(
      `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
    )
  }
  return finish(state, {
    kind: 'aggregate',
    op,
    expr,
    param: wanted === 2 ? (args[0] ?? null) : null,
    grouping: grouping?.labels ?? [],
    isWithout: grouping?.isWithout ?? false,
    range,
  })
}

/** Reads the call of a function whose name was taken. Throws AppError QUERY_PARSE_FAILED. */
export function parseCall(state: ParserState, name: Token, parseArgument: () => Expr): Call {
  const { cursor } = state
  const args = parseArguments(state, parseArgument)
  const signature = FUNCTIONS.get(name.text)
  if (signature === undefined) {
    throw parseError(cursor.text, name, `unknown function with name ${quoteText(name.text)}`)
  }
  if (signature.isExperimental && !state.allowExperimental) {
    throw parseError(cursor.text, name, `function ${quoteText(name.text)} is not enabled`)
  }
  return finish(state, {
    kind: 'call',
    name: name.text,
    args,
    type: signature.returnType,
    range: cursor.rangeFrom(name.start),
  })
}

function parseByOrWithout(state: ParserState): { isWithout: boolean; labels: readonly string[] } | null {
  const isWithout = state.cursor.isNext('without')
  if (!isWithout && !state.cursor.isNext('by')) return null
  state.cursor.next()
  return { isWithout, labels: parseGrouping(state) }
}

function parseArguments(state: ParserState, parseArgument: () => Expr): Expr[] {
  const { cursor } = state
  cursor.next()
  const args: Expr[] = []
  if (cursor.accept(')')) return args
  for (;;) {
    args.push(parseArgument())
    if (cursor.accept(')')) return args
    const comma = cursor.peek()
    if (!cursor.accept(',')) throw cursor.unexpected(state.aggregations > 0 ? 'aggregation' : '', '')
    if (!startsExpression(cursor.peek())) {
      throw parseError(cursor.text, comma, 'trailing commas not allowed in function call args')
    }
  }
}

function startsExpression(token: Token): boolean {
  const isValue = token.kind === 'number' || token.kind === 'duration' || token.kind === 'string'
  return isValue || isMetricName(token) || /^[-+({]$/.test(token.text)
}
