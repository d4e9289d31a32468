import type { DurationExpr, TextRange } from './ast.ts'
import { evaluateDuration } from './evaluate-duration.ts'
import { parseError } from './parse-error.ts'
import { LONGEST_DURATION_S, readNumberToken } from './parse-number.ts'
import { oneLevelDeeper, type ParserState } from './parser-state.ts'
import type { Token } from './token.ts'

/** A duration of a selector: milliseconds, and the expression when it is more than a literal. */
export interface ParsedDuration {
  /** 0 while the expression depends on the query's step or range. */
  readonly ms: number
  readonly expr: DurationExpr | null
  readonly range: TextRange
}

/** Where a duration stands, in Prometheus' words. */
export type DurationContext = 'subquery or range selector' | 'subquery selector' | 'offset'

/**
 * Reads the duration of a range or a resolution: more than zero; whether one that is computed is, shows when it is resolved. Throws
 * AppError QUERY_PARSE_FAILED.
 */
export function parsePositiveDuration(state: ParserState, context: DurationContext): ParsedDuration {
  const parsed = toParsed(state, parseTerms(state, context, 0))
  if (parsed.ms <= 0 && parsed.expr === null) {
    throw parseError(state.cursor.text, parsed.range, 'duration must be greater than 0')
  }
  return parsed
}

/**
 * Reads the duration of an `offset`. What follows a literal or a call is not part of it (`foo offset 5m + 1` adds to the vector); only
 * parentheses may begin a computation. Throws AppError QUERY_PARSE_FAILED.
 */
export function parseOffset(state: ParserState): ParsedDuration {
  const { cursor } = state
  const isComputed = cursor.isNext('(')
  const expr = isComputed ? parseTerms(state, 'offset', 0) : parseSigned(state, 'offset', LEVELS['^'] + 1)
  return toParsed(state, expr)
}

const EXPECTED = 'number, duration, step(), or range()'
const LEVELS = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 3 } as const
type DurationOp = keyof typeof LEVELS

function toParsed(state: ParserState, expr: DurationExpr): ParsedDuration {
  if (!state.allowExperimental && expr.kind !== 'number') {
    throw parseError(state.cursor.text, expr.range, 'experimental duration expression is not enabled')
  }
  if (expr.kind === 'number') return { ms: toMs(expr.seconds), expr: null, range: expr.range }
  const seconds = evaluateDuration(expr, null) ?? 0
  return { ms: Math.abs(seconds) <= LONGEST_DURATION_S ? toWholeMs(seconds) : 0, expr, range: expr.range }
}

/** Seconds as milliseconds, to the nanosecond. */
function toMs(seconds: number): number {
  return Math.abs(seconds) < 9e6 ? Math.round(seconds * 1e9) / 1e6 : seconds * 1000
}

/** Seconds as milliseconds of which no part is left: so durations that are computed are kept. */
export function toWholeMs(seconds: number): number {
  return Math.trunc(seconds * 1000)
}

function parseTerms(state: ParserState, context: DurationContext, least: number): DurationExpr {
  return oneLevelDeeper(state, () => {
    const { cursor } = state
    let lhs = parseSigned(state, context, least)
    for (let terms = 0; ; terms += 1) {
      const op = operatorOf(cursor.peek())
      if (op === null || LEVELS[op] < Math.max(least, 1)) return lhs
      if (terms > MOST_TERMS) throw parseError(cursor.text, cursor.peek(), 'duration expression is too long')
      const sign = cursor.next()
      const rhs = parseTerms(state, context, op === '^' ? LEVELS[op] : LEVELS[op] + 1)
      if (rhs.kind === 'number' && rhs.seconds === 0 && (op === '/' || op === '%')) {
        throw parseError(cursor.text, sign, op === '/' ? 'division by zero' : 'modulo by zero')
      }
      lhs = { kind: 'binary', op, lhs, rhs, range: { start: lhs.range.start, end: rhs.range.end } }
    }
  })
}

const MOST_TERMS = 100

function operatorOf(token: Token): DurationOp | null {
  return token.kind === 'operator' && Object.hasOwn(LEVELS, token.word) ? (token.word as DurationOp) : null
}

function parseSigned(state: ParserState, context: DurationContext, least: number): DurationExpr {
  const { cursor } = state
  const sign = cursor.peek()
  if (sign.kind !== 'operator' || (sign.word !== '-' && sign.word !== '+')) return parseAtom(state, context)
  cursor.next()
  // A sign binds like a product: -2^2 is -(2^2), -2*3 is (-2)*3.
  const expr =
    context === 'offset' && least > LEVELS['^']
      ? parseAtom(state, context)
      : parseTerms(state, context, LEVELS['^'])
  const range = { start: sign.start, end: expr.range.end }
  if (expr.kind === 'number') {
    return { ...expr, seconds: sign.word === '-' ? -expr.seconds : expr.seconds, range }
  }
  return { kind: 'unary', op: sign.word, expr, range }
}

function parseAtom(state: ParserState, context: DurationContext): DurationExpr {
  const { cursor } = state
  const token = cursor.peek()
  const { start } = token
  if (token.kind === 'number' || token.kind === 'duration') {
    cursor.next()
    const seconds = readNumberToken(cursor.text, token)
    const range = cursor.rangeFrom(start)
    if (!(Math.abs(seconds) <= LONGEST_DURATION_S))
      throw parseError(cursor.text, range, 'duration out of range')
    return { kind: 'number', seconds, isDuration: token.kind === 'duration', range }
  }
  if (cursor.accept('(')) {
    const expr = parseTerms(state, context, 0)
    expect(state, context, ')')
    return { kind: 'paren', expr, range: cursor.rangeFrom(start) }
  }
  const name = token.kind === 'identifier' || token.kind === 'preprocessor' ? token.text.toLowerCase() : ''
  if (name === 'step' || name === 'range') {
    cursor.next()
    expect(state, context, '(')
    expect(state, context, ')')
    return { kind: 'call', name, range: cursor.rangeFrom(start) }
  }
  if (name === 'min_of' || name === 'max_of') {
    cursor.next()
    expect(state, context, '(')
    const lhs = parseTerms(state, context, 0)
    expect(state, context, ',')
    const rhs = parseTerms(state, context, 0)
    expect(state, context, ')')
    return { kind: 'binary', op: name, lhs, rhs, range: cursor.rangeFrom(start) }
  }
  const isStep = context === 'subquery selector'
  throw cursor.unexpected(context, isStep ? 'number, duration, step(), range(), or "]"' : EXPECTED)
}

function expect(state: ParserState, context: DurationContext, sign: string): void {
  if (!state.cursor.accept(sign)) throw state.cursor.unexpected(context, EXPECTED)
}
