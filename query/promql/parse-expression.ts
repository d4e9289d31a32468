import { unquoteGo } from '../../model/unquote-go.ts'
import { type BinaryExpr, type BinaryOp, type Expr, typeOf, type UnaryExpr } from './ast.ts'
import { checkTypes } from './check-types.ts'
import { isAggregation, parseAggregation, parseCall } from './parse-calls.ts'
import { parseError } from './parse-error.ts'
import { type BinaryModifiers, parseBinaryModifiers } from './parse-matching.ts'
import { parseModifiers } from './parse-modifiers.ts'
import { readNumberToken } from './parse-number.ts'
import { isMetricName, parseVectorSelector } from './parse-selector.ts'
import {
  createParserState,
  finish,
  oneLevelDeeper,
  type ParseOptions,
  type ParserState,
} from './parser-state.ts'

/**
 * Reads and checks a PromQL expression: the grammar of Prometheus 3. Throws AppError QUERY_PARSE_FAILED with Prometheus' message and
 * position (`1:5: parse error: …`), see {@link parseError}; never anything else, whatever the text.
 */
export function parseExpression(text: string, options: ParseOptions = {}): Expr {
  const state = createParserState(text, options)
  const { cursor } = state
  if (cursor.peek().kind === 'eof') {
    throw parseError(text, { start: 0, end: 0 }, 'no expression found in input')
  }
  const expr = parseTerms(state, LOWEST)
  if (cursor.peek().kind !== 'eof') throw cursor.unexpected('', '')
  checkTypes(text, expr)
  return expr
}

/** How strongly operators bind. `^` binds to the right, the others to the left. A sign binds like a product. */
const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<=': 3,
  '<': 3,
  '>=': 3,
  '>': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
} satisfies Record<BinaryOp, number>
const LOWEST = 1
const POWER = 6

function parseTerms(state: ParserState, least: number): Expr {
  return oneLevelDeeper(state, () => {
    const { cursor } = state
    let lhs = parseSigned(state)
    for (;;) {
      const token = cursor.peek()
      const precedence = token.kind === 'operator' ? PRECEDENCE[token.word] : undefined
      if (precedence === undefined || precedence < least) return lhs
      cursor.next()
      const modifiers = parseBinaryModifiers(state)
      const rhs = parseTerms(state, precedence === POWER ? POWER : precedence + 1)
      lhs = finish(state, binaryExpr(token.word as BinaryOp, lhs, rhs, modifiers))
    }
  })
}

function binaryExpr(op: BinaryOp, lhs: Expr, rhs: Expr, modifiers: BinaryModifiers): BinaryExpr {
  const { matching, returnBool } = modifiers
  const isSetOp = op === 'and' || op === 'or' || op === 'unless'
  const isOfVectors = typeOf(lhs) === 'vector' && typeOf(rhs) === 'vector'
  // What is said about matching where nothing is matched is left for the check of types to refuse.
  const isSaid = matching.labels.length > 0 || matching.fillLeft !== null || matching.fillRight !== null
  const card = isSetOp && matching.card === 'one-to-one' ? 'many-to-many' : matching.card
  return {
    kind: 'binary',
    op,
    lhs,
    rhs,
    returnBool,
    matching: isOfVectors || isSaid ? { ...matching, card } : null,
    range: { start: lhs.range.start, end: rhs.range.end },
  }
}

function parseSigned(state: ParserState): Expr {
  const { cursor } = state
  const sign = cursor.peek()
  if (sign.kind !== 'operator' || (sign.word !== '-' && sign.word !== '+')) {
    return parseModifiers(state, parseAtom(state))
  }
  cursor.next()
  const expr = parseTerms(state, POWER)
  const range = { start: sign.start, end: expr.range.end }
  if (expr.kind === 'number') {
    return finish(state, { ...expr, value: sign.word === '-' ? -expr.value : expr.value, range })
  }
  return finish<UnaryExpr>(state, { kind: 'unary', op: sign.word, expr, range })
}

function parseAtom(state: ParserState): Expr {
  const { cursor } = state
  const token = cursor.peek()
  if (token.kind === 'number' || token.kind === 'duration') {
    cursor.next()
    const value = readNumberToken(cursor.text, token)
    return finish(state, {
      kind: 'number',
      value,
      isDuration: token.kind === 'duration',
      range: cursor.rangeFrom(token.start),
    })
  }
  if (token.kind === 'string') {
    cursor.next()
    return finish(state, {
      kind: 'string',
      value: unquoteGo(token.text),
      range: cursor.rangeFrom(token.start),
    })
  }
  if (cursor.accept('(')) {
    const expr = parseTerms(state, LOWEST)
    if (!cursor.accept(')')) throw unexpectedHere(state)
    return finish(state, { kind: 'paren', expr, range: cursor.rangeFrom(token.start) })
  }
  if (cursor.isNext('{')) return parseVectorSelector(state, null)
  if (!isMetricName(token)) throw unexpectedHere(state)
  cursor.next()
  const parseArgument = (): Expr => parseTerms(state, LOWEST)
  if (isAggregation(state, token)) return parseAggregation(state, token, parseArgument)
  const isFunction = token.kind === 'identifier' || token.kind === 'preprocessor'
  if (isFunction && cursor.isNext('(')) return parseCall(state, token, parseArgument)
  return parseVectorSelector(state, token)
}

function unexpectedHere(state: ParserState): Error {
  return state.cursor.unexpected(state.aggregations > 0 ? 'aggregation' : '', '')
}
