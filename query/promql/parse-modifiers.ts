import type {
  AtModifier,
  Expr,
  MatrixSelector,
  Subquery,
  TextRange,
  TimeShift,
  VectorSelector,
} from './ast.ts'
import { type ParsedDuration, parseOffset, parsePositiveDuration } from './parse-duration-expression.ts'
import { parseError } from './parse-error.ts'
import { readNumberToken } from './parse-number.ts'
import { finish, type ParserState } from './parser-state.ts'

/** Reads what may stand after an expression: `[5m]`, `[5m:1m]`, `offset`, `@`, `anchored`, `smoothed`. Throws AppError QUERY_PARSE_FAILED. */
export function parseModifiers(state: ParserState, expr: Expr): Expr {
  const { cursor } = state
  for (;;) {
    if (cursor.isNext('[')) expr = parseBrackets(state, expr)
    else if (cursor.accept('offset')) expr = applyOffset(state, expr, parseOffset(state))
    else if (cursor.accept('@')) expr = parseAt(state, expr)
    else if (cursor.accept('anchored')) expr = applyBounds(state, expr, 'anchored')
    else if (cursor.accept('smoothed')) expr = applyBounds(state, expr, 'smoothed')
    else return expr
  }
}

function parseBrackets(state: ParserState, expr: Expr): MatrixSelector | Subquery {
  const { cursor } = state
  const bracket = cursor.next()
  const length = parsePositiveDuration(state, 'subquery or range selector')
  if (cursor.accept(']')) return matrixSelector(state, expr, length, cursor.rangeFrom(bracket.start))
  if (!cursor.accept(':')) throw cursor.unexpected('subquery or range', '":" or "]"')
  const step = cursor.isNext(']') ? null : parsePositiveDuration(state, 'subquery selector')
  if (!cursor.accept(']')) throw cursor.unexpected('subquery selector', '"]"')
  return finish(state, {
    kind: 'subquery',
    expr,
    rangeMs: length.ms,
    rangeExpr: length.expr,
    stepMs: step?.ms ?? 0,
    stepExpr: step?.expr ?? null,
    offsetMs: 0,
    offsetExpr: null,
    at: null,
    range: cursor.rangeFrom(expr.range.start),
  })
}

function matrixSelector(
  state: ParserState,
  selector: Expr,
  length: ParsedDuration,
  brackets: TextRange,
): MatrixSelector {
  const fail = (reason: string): Error => parseError(state.cursor.text, brackets, reason)
  if (selector.kind !== 'vectorSelector') throw fail('ranges only allowed for vector selectors')
  if (isShifted(selector)) throw fail('no offset modifiers allowed before range')
  // Prometheus lets `foo @ start() [5m]` pass.
  if (selector.at?.kind === 'time') throw fail('no @ modifiers allowed before range')
  return finish(state, {
    kind: 'matrixSelector',
    selector,
    rangeMs: length.ms,
    rangeExpr: length.expr,
    range: state.cursor.rangeFrom(selector.range.start),
  })
}

function applyOffset(state: ParserState, expr: Expr, offset: ParsedDuration): Expr {
  const { cursor } = state
  const fail = (reason: string): Error => parseError(cursor.text, expr.range, reason)
  const shift = shiftOf(expr)
  if (shift === null) {
    throw fail(
      'offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    )
  }
  if (isShifted(shift)) throw fail('offset may not be set multiple times')
  return withShift(state, expr, { ...shift, offsetMs: offset.ms, offsetExpr: offset.expr })
}

function parseAt(state: ParserState, expr: Expr): Expr {
  const { cursor } = state
  const fail = (reason: string): Error => parseError(cursor.text, expr.range, reason)
  const at = parseTimestamp(state, fail)
  const shift = shiftOf(expr)
  if (shift === null) {
    throw fail(
      '@ modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    )
  }
  if (shift.at !== null) throw fail('@ <timestamp> may not be set multiple times')
  return withShift(state, expr, { ...shift, at })
}

function parseTimestamp(state: ParserState, fail: (reason: string) => Error): AtModifier {
  const { cursor } = state
  const token = cursor.peek()
  if (token.kind === 'preprocessor' && (token.word === 'start' || token.word === 'end')) {
    cursor.next()
    if (!cursor.accept('(') || !cursor.accept(')')) throw cursor.unexpected('@', 'timestamp')
    return { kind: token.word }
  }
  const sign = cursor.accept('-') ? -1 : 1
  if (sign === 1) cursor.accept('+')
  const number = cursor.peek()
  if (number.kind !== 'number' && number.kind !== 'duration') throw cursor.unexpected('@', 'timestamp')
  cursor.next()
  const seconds = sign * readNumberToken(cursor.text, number)
  if (!(Math.abs(seconds) < 2 ** 63)) {
    const written = Number.isFinite(seconds) ? `${BigInt(seconds)}.000000` : goNumber(seconds)
    throw fail(`timestamp out of bounds for @ modifier: ${written}`)
  }
  // Half a millisecond is rounded away from zero.
  return { kind: 'time', ms: Math.sign(seconds) * Math.round(Math.abs(seconds) * 1000) }
}

function applyBounds(state: ParserState, expr: Expr, bounds: 'anchored' | 'smoothed'): Expr {
  const fail = (reason: string): Error => parseError(state.cursor.text, expr.range, reason)
  if (!state.allowExperimental) throw fail(`${bounds} modifier is experimental and not enabled`)
  if (expr.kind === 'subquery') throw fail(`${bounds} modifier is not supported for subqueries`)
  if (expr.kind !== 'vectorSelector' && expr.kind !== 'matrixSelector') {
    throw fail(`${bounds} modifier not implemented`)
  }
  const selector = expr.kind === 'matrixSelector' ? expr.selector : expr
  if (selector.bounds !== '' && selector.bounds !== bounds) {
    throw fail('anchored and smoothed modifiers cannot be used together')
  }
  if (expr.kind === 'vectorSelector') return finish(state, { ...expr, bounds })
  return finish(state, { ...expr, selector: finish(state, { ...expr.selector, bounds }) })
}

function shiftOf(expr: Expr): TimeShift | null {
  const carrier = expr.kind === 'matrixSelector' ? expr.selector : expr
  if (carrier.kind !== 'vectorSelector' && carrier.kind !== 'subquery') return null
  const { offsetMs, offsetExpr, at } = carrier
  return { offsetMs, offsetExpr, at }
}

function withShift(state: ParserState, expr: Expr, shift: TimeShift): Expr {
  const range = state.cursor.rangeFrom(expr.range.start)
  switch (expr.kind) {
    case 'vectorSelector':
    case 'subquery':
      return finish<VectorSelector | Subquery>(state, { ...expr, ...shift, range })
    case 'matrixSelector':
      return finish(state, { ...expr, selector: finish(state, { ...expr.selector, ...shift }), range })
    default:
      return expr
  }
}

function isShifted(shift: TimeShift): boolean {
  return shift.offsetMs !== 0 || shift.offsetExpr !== null
}

function goNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
