import { METRIC_NAME } from '../../model/labels.ts'
import { compileMatcher, type Matcher } from '../../model/matcher.ts'
import { unquoteGo } from '../../model/unquote-go.ts'
import type { VectorSelector } from './ast.ts'
import { parseError } from './parse-error.ts'
import { createParserState, finish, type ParserState } from './parser-state.ts'
import type { Token } from './token.ts'

/**
 * Reads a selector alone, as `match[]` parameters have it: `up{job="a"}`, `{__name__=~"a.*"}`. Whether it selects everything is
 * not checked. Throws AppError QUERY_PARSE_FAILED as Prometheus words it.
 */
export function parseSelector(text: string): readonly Matcher[] {
  const state = createParserState(text, {})
  const { cursor } = state
  const first = cursor.peek()
  if (!isMetricName(first) && !cursor.isNext('{')) throw cursor.unexpected('', '')
  const selector = parseVectorSelector(state, cursor.isNext('{') ? null : cursor.next())
  if (cursor.peek().kind !== 'eof') throw cursor.unexpected('', '')
  return selector.matchers
}

const NAME_WORDS: ReadonlySet<string> = new Set([
  'and',
  'or',
  'unless',
  'by',
  'without',
  'offset',
  'anchored',
  'smoothed',
  'fill',
  'fill_left',
  'fill_right',
])

/** Whether a metric may be called so without quotes. */
export function isMetricName(token: Token): boolean {
  switch (token.kind) {
    case 'identifier':
    case 'metricIdentifier':
    case 'aggregator':
    case 'preprocessor':
      return true
    case 'operator':
    case 'keyword':
      return NAME_WORDS.has(token.word)
    default:
      return false
  }
}

/** Reads the conditions of a selector whose name, if it has one, was taken. */
export function parseVectorSelector(state: ParserState, name: Token | null): VectorSelector {
  const { cursor } = state
  const start = name?.start ?? cursor.peek().start
  const matchers = cursor.isNext('{') ? parseMatcherList(state) : []
  if (name !== null) matchers.push({ name: METRIC_NAME, op: '=', value: name.text })
  return finish(state, {
    kind: 'vectorSelector',
    name: name?.text ?? '',
    matchers,
    bounds: '',
    offsetMs: 0,
    offsetExpr: null,
    at: null,
    range: cursor.rangeFrom(start),
  })
}

function parseMatcherList(state: ParserState): Matcher[] {
  const { cursor } = state
  const matchers: Matcher[] = []
  cursor.next()
  while (!cursor.accept('}')) {
    matchers.push(parseMatcher(state))
    if (!cursor.accept(',') && !cursor.isNext('}')) {
      throw cursor.unexpected('label matching', '"," or "}"')
    }
  }
  return matchers
}

function parseMatcher(state: ParserState): Matcher {
  const { cursor } = state
  const label = cursor.peek()
  if (label.kind !== 'identifier' && label.kind !== 'string') {
    throw cursor.unexpected('label matching', 'identifier or "}"')
  }
  cursor.next()
  const isQuoted = label.kind === 'string'
  const name = isQuoted ? unquoteGo(label.text) : label.text
  const op = cursor.peek().text
  if (op !== '=' && op !== '!=' && op !== '=~' && op !== '!~') {
    // A quoted text alone is the metric's name.
    if (isQuoted) return { name: METRIC_NAME, op: '=', value: name }
    throw cursor.unexpected('label matching', 'label matching operator')
  }
  cursor.next()
  if (cursor.peek().kind !== 'string') throw cursor.unexpected('label matching', 'string')
  const matcher: Matcher = { name, op, value: unquoteGo(cursor.next().text) }
  try {
    compileMatcher(matcher)
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown
    throw parseError(cursor.text, cursor.rangeFrom(label.start), thrown.message)
  }
  return matcher
}
