import { quoteText } from '../../model/labels.ts'
import { scanString } from './quoted-string.ts'

/**
 * What a token is. Words that PromQL knows are `operator` (`and`, `atan2`), `aggregator`, `keyword` (`by`, `offset`) or `preprocessor`
 * (`start`, `end`, `step`, `range`); other punctuation than operators is its own kind. `error` is the last token of a text
 * that cannot be read on, its text says why.
 */
export type TokenKind =
  | 'eof'
  | 'error'
  | 'identifier'
  | 'metricIdentifier'
  | 'string'
  | 'number'
  | 'duration'
  | 'operator'
  | 'aggregator'
  | 'keyword'
  | 'preprocessor'
  | 'punctuation'

/** A word, number, string or sign of a query. */
export interface Token {
  readonly kind: TokenKind
  /** As written; strings with their quotes. */
  readonly text: string
  /** Known words and operators in lower case, so that they can be compared; otherwise as `text`. */
  readonly word: string
  /** UTF-16 offset of the first unit. */
  readonly start: number
  /** UTF-16 offset after the last unit; for an `error` the end of the query. */
  readonly end: number
}

const WORDS: ReadonlyMap<string, TokenKind> = new Map([
  ...kindOf('operator', 'and or unless atan2'),
  ...kindOf(
    'aggregator',
    'sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio',
  ),
  ...kindOf(
    'keyword',
    'offset smoothed anchored by without on ignoring group_left group_right fill fill_left fill_right bool',
  ),
  ...kindOf('preprocessor', 'start end step range'),
  ...kindOf('number', 'inf nan'),
])

const OPERATORS = /<\/|>\/|<=|>=|==|!=|[-+*/%^<>@]/y
const SPACE = /[ \t\n\r]+/y
const COMMENT = /#[^\n\r]*/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NAME = /[A-Za-z_:][A-Za-z0-9_:]*/y
const NUMBER =
  /0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?/y
const DURATION = /(?:\d+(?:ms|[smhdwy]))+/y
const MATCHER_SIGN = /[=!]~|!=|[=,}]/y
const NUMBER_START = /\.?\d/y
const CALL_START = /\s*\(/y

/**
 * Cuts a query into tokens; comments and spaces are left out. The last token is `eof`, or an `error` with Prometheus' text
 * where the query cannot be read on. Never throws.
 */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  let parens = 0
  let hasColon = false
  // Where in brackets: before the first number, step() or range() other signs are allowed than after it.
  let bracket: 'none' | 'opened' | 'counted' = 'none'
  let isInBraces = false

  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0] ?? null
  }
  const emit = (kind: TokenKind, length: number, word?: string): void => {
    const written = text.slice(at, at + length)
    tokens.push({ kind, text: written, word: word ?? written, start: at, end: at + length })
    at += length
  }
  const fail = (reason: string, start = at): readonly Token[] => {
    tokens.push({ kind: 'error', text: reason, word: '', start, end: text.length })
    return tokens
  }

  for (;;) {
    const skipped = match(SPACE) ?? match(COMMENT)
    if (skipped !== null) {
      at += skipped.length
      continue
    }
    const character = at < text.length ? String.fromCodePoint(text.codePointAt(at) ?? 0) : ''
    if (character === '') {
      if (isInBraces) return fail('unexpected end of input inside braces')
      if (bracket === 'opened') return fail('unexpected end of input in duration expression')
      if (parens !== 0) return fail('unclosed left parenthesis')
      if (bracket !== 'none') return fail('unclosed left bracket')
      emit('eof', 0)
      return tokens
    }
    if (character === '"' || character === "'" || character === '`') {
      if (bracket === 'opened') return fail(inDuration(character))
      const string = scanString(text, at)
      if ('reason' in string) return fail(string.reason)
      emit('string', string.end - at)
      continue
    }

    if (isInBraces) {
      const word = match(WORD)
      const found = match(MATCHER_SIGN)
      if (word !== null) emit('identifier', word.length)
      else if (found !== null) {
        if (found === '}') isInBraces = false
        emit(found === '=~' || found === '!~' || found === '!=' ? 'operator' : 'punctuation', found.length)
      } else if (character === '!') {
        return fail(`unexpected character after '!' inside braces: ${quoteCharacter(text, at + 1)}`)
      } else if (character === '{') return fail(`unexpected left brace '{'`)
      else return fail(`unexpected character inside braces: ${quoteCharacter(text, at)}`)
      continue
    }

    if (match(NUMBER_START) !== null) {
      const number = readNumber(text, at)
      if (number.kind === null) {
        return fail(`bad number or duration syntax: ${quoteText(text.slice(at, at + number.length))}`)
      }
      if (bracket === 'opened') bracket = 'counted'
      emit(number.kind, number.length)
      continue
    }

    if (/[A-Za-z_:]/.test(character)) {
      if (bracket === 'none') {
        const name = match(NAME) ?? ''
        const word = name.toLowerCase()
        CALL_START.lastIndex = at + name.length
        // `fill` is a modifier only before a parenthesis, so that metrics may go on being called so.
        const isName = word.startsWith('fill') && !CALL_START.test(text)
        const kind = isName ? undefined : WORDS.get(word)
        if (kind !== undefined) emit(kind, name.length, word)
        else emit(name.includes(':') ? 'metricIdentifier' : 'identifier', name.length)
        continue
      }
      if (character === ':') {
        if (bracket === 'opened')
          return fail('unexpected colon before duration in duration expression', at + 1)
        if (hasColon) return fail(`unexpected colon ':'`)
        hasColon = true
        emit('punctuation', 1)
        continue
      }
      const word = match(WORD) ?? ''
      if (/^(?:step|range|min_of|max_of)$/i.test(word)) {
        if (/^[sr]/i.test(word)) bracket = 'counted'
        emit('preprocessor', word.length, word.toLowerCase())
        continue
      }
      return fail(
        bracket === 'opened'
          ? inDuration(character)
          : `unexpected character: ${quoteCharacter(text, at)}, expected ':'`,
      )
    }

    switch (character) {
      case '(':
        parens += 1
        emit('punctuation', 1)
        continue
      case ')':
        parens -= 1
        if (parens < 0) return fail(`unexpected right parenthesis ')'`, at + 1)
        emit('punctuation', 1)
        continue
      case ',':
        emit('punctuation', 1)
        continue
      case '{':
        if (bracket === 'opened') return fail(inDuration(character))
        isInBraces = true
        emit('punctuation', 1)
        continue
      case '[':
        if (bracket !== 'none') {
          return fail(bracket === 'opened' ? inDuration('[') : `unexpected left bracket '['`)
        }
        bracket = 'opened'
        hasColon = false
        emit('punctuation', 1)
        continue
      case ']':
        if (bracket === 'none') return fail(`unexpected right bracket ']'`)
        bracket = 'none'
        emit('punctuation', 1)
        continue
    }
    if (bracket === 'opened' && !'+-*/%^'.includes(character)) return fail(inDuration(character))
    const operator = match(OPERATORS)
    if (operator !== null) emit('operator', operator.length)
    else if (character === '=' && text[at + 1] !== '~') emit('punctuation', 1)
    else if (character === '=' || character === '!') {
      return fail(`unexpected character after '${character}': ${quoteCharacter(text, at + 1)}`)
    } else return fail(`unexpected character: ${quoteCharacter(text, at)}`)
  }
}

/** How Prometheus names a token that it did not expect: `identifier "foo"`, `<op:+>`, `end of input`. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'eof':
      return 'end of input'
    case 'operator':
      return `<op:${token.text}>`
    case 'aggregator':
      return `<aggr:${token.text}>`
    case 'keyword':
      return `<${token.text}>`
    case 'punctuation':
    case 'preprocessor':
    case 'error':
      return quoteText(token.text)
    case 'identifier':
      return `identifier ${quoteText(token.text)}`
    case 'metricIdentifier':
      return `metric identifier ${quoteText(token.text)}`
    default:
      return `${token.kind} ${shortened(token.text)}`
  }
}

/** Go's `%q` of a character: `'a'`; what stands after the end is U+FFFD. */
export function quoteCharacter(text: string, at: number): string {
  const code = text.codePointAt(at)
  if (code === undefined) return `'\u{fffd}'`
  const character = String.fromCodePoint(code)
  if (character === "'") return `'\\''`
  if (character === '"') return `'"'`
  return `'${quoteText(character).slice(1, -1)}'`
}

function kindOf(kind: TokenKind, words: string): [string, TokenKind][] {
  return words.split(' ').map((word) => [word, kind])
}

function inDuration(character: string): string {
  return `unexpected character in duration expression: ${quoteCharacter(character, 0)}`
}

function shortened(text: string): string {
  const characters = [...text]
  return characters.length > 10 ? `${quoteText(characters.slice(0, 10).join(''))}...` : quoteText(text)
}

function readNumber(text: string, at: number): { kind: 'number' | 'duration' | null; length: number } {
  const read = (pattern: RegExp): number => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0].length ?? 0
  }
  const number = read(NUMBER)
  if (!/[A-Za-z0-9_.]/.test(text.charAt(at + number))) return { kind: 'number', length: number }
  const duration = read(DURATION)
  if (duration > 0 && !/[A-Za-z0-9_]/.test(text.charAt(at + duration))) {
    return { kind: 'duration', length: duration }
  }
  return { kind: null, length: unreadableLength(text, at, number) }
}

/** How much of a number that is none Prometheus shows: what it took for digits and units, and the character that ended it. */
function unreadableLength(text: string, at: number, number: number): number {
  if (text.charAt(at + number) === '.') return number + 1
  const exponent = /[eE][+-]?/y
  exponent.lastIndex = at + number
  number += exponent.exec(text)?.[0].length ?? 0
  const units = /[smhdwy]s?(?:\d+[smhdw]s?)*/y
  units.lastIndex = at + number
  const unit = units.exec(text)?.[0].length ?? 0
  if (unit === 0) return number
  const digits = /\d*/y
  digits.lastIndex = at + number + unit
  const more = digits.exec(text)?.[0].length ?? 0
  return Math.min(number + unit + (more === 0 ? 1 : more), text.length - at)
}
