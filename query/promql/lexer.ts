import { quoteText } from '../../model/labels.ts'
import { scanString } from './quoted-string.ts'
import { quoteCharacter, type Token, type TokenKind } from './token.ts'

/**
 * Cuts a query into tokens; comments and spaces are left out. The last token is `eof`, or an `error` with Prometheus' text
 * where the query cannot be read on. Never throws.
 */
export function tokenize(text: string): readonly Token[] {
  const scan: Scan = {
    text,
    tokens: [],
    at: 0,
    parens: 0,
    isInBraces: false,
    bracket: 'none',
    hasColon: false,
  }
  for (;;) {
    const skipped = match(scan, SPACE) ?? match(scan, COMMENT)
    if (skipped !== null) {
      scan.at += skipped.length
      continue
    }
    const failure = scan.at < text.length ? scanToken(scan) : scanEnd(scan)
    if (failure !== null) {
      const { reason, start = scan.at } = failure
      scan.tokens.push({ kind: 'error', text: reason, word: '', start, end: text.length })
      return scan.tokens
    }
    if (scan.tokens.at(-1)?.kind === 'eof') return scan.tokens
  }
}

/** How far a query was read, and inside of what. */
interface Scan {
  readonly text: string
  readonly tokens: Token[]
  at: number
  parens: number
  isInBraces: boolean
  /** Before the first number, step() or range() in brackets other signs are allowed than after it. */
  bracket: 'none' | 'opened' | 'counted'
  /** The colon of a subquery was read. */
  hasColon: boolean
}

/** Why a query cannot be read on; it stands at `start`, if that is not where the scan is. */
interface Failure {
  readonly reason: string
  readonly start?: number
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

const SPACE = /[ \t\n\r]+/y
const COMMENT = /#[^\n\r]*/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NAME = /[A-Za-z_:][A-Za-z0-9_:]*/y
const OPERATOR = /<\/|>\/|<=|>=|==|!=|[-+*/%^<>@]/y
const MATCHER_SIGN = /[=!]~|!=|[=,}]/y
const NUMBER_START = /\.?\d/y
const NUMBER =
  /0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?/y
const DURATION = /(?:\d+(?:ms|[smhdwy]))+/y
const DURATION_CALL = /(?:step|range|min_of|max_of)(?![A-Za-z0-9_])/iy
const CALL_START = /\s*\(/y

function kindOf(kind: TokenKind, words: string): [string, TokenKind][] {
  return words.split(' ').map((word) => [word, kind])
}

function match(scan: Scan, pattern: RegExp, ahead = 0): string | null {
  pattern.lastIndex = scan.at + ahead
  return pattern.exec(scan.text)?.[0] ?? null
}

function emit(scan: Scan, kind: TokenKind, length: number, word?: string): null {
  const text = scan.text.slice(scan.at, scan.at + length)
  scan.tokens.push({ kind, text, word: word ?? text, start: scan.at, end: scan.at + length })
  scan.at += length
  return null
}

function scanEnd(scan: Scan): Failure | null {
  if (scan.isInBraces) return { reason: 'unexpected end of input inside braces' }
  if (scan.bracket === 'opened') return { reason: 'unexpected end of input in duration expression' }
  if (scan.parens !== 0) return { reason: 'unclosed left parenthesis' }
  if (scan.bracket !== 'none') return { reason: 'unclosed left bracket' }
  return emit(scan, 'eof', 0)
}

function scanToken(scan: Scan): Failure | null {
  const character = scan.text.charAt(scan.at)
  if (/["'`]/.test(character) && scan.bracket !== 'opened') {
    const string = scanString(scan.text, scan.at)
    return 'reason' in string ? string : emit(scan, 'string', string.end - scan.at)
  }
  if (scan.isInBraces) return scanInBraces(scan)
  if (match(scan, NUMBER_START) !== null) return scanNumber(scan)
  if (/[A-Za-z_:]/.test(character)) {
    return scan.bracket === 'none' ? scanName(scan) : scanWordInBrackets(scan)
  }
  return scanSign(scan, character)
}

function scanInBraces(scan: Scan): Failure | null {
  const { text, at } = scan
  const word = match(scan, WORD)
  if (word !== null) return emit(scan, 'identifier', word.length)
  const sign = match(scan, MATCHER_SIGN)
  if (sign !== null) {
    if (sign === '}') scan.isInBraces = false
    return emit(scan, /[~!]/.test(sign) ? 'operator' : 'punctuation', sign.length)
  }
  const character = text.charAt(at)
  if (character === '!') {
    return { reason: `unexpected character after '!' inside braces: ${quoteCharacter(text, at + 1)}` }
  }
  if (character === '{') return { reason: `unexpected left brace '{'` }
  return { reason: `unexpected character inside braces: ${quoteCharacter(text, at)}` }
}

function scanName(scan: Scan): Failure | null {
  const name = match(scan, NAME) ?? ''
  const word = name.toLowerCase()
  // `fill` is a modifier only before a parenthesis, so that metrics may go on being called so.
  const isName = word.startsWith('fill') && match(scan, CALL_START, name.length) === null
  const kind = isName ? undefined : WORDS.get(word)
  if (kind !== undefined) return emit(scan, kind, name.length, word)
  return emit(scan, name.includes(':') ? 'metricIdentifier' : 'identifier', name.length)
}

function scanWordInBrackets(scan: Scan): Failure | null {
  const { text, at } = scan
  if (text.charAt(at) === ':') {
    if (scan.bracket === 'opened') {
      return { reason: 'unexpected colon before duration in duration expression', start: at + 1 }
    }
    if (scan.hasColon) return { reason: `unexpected colon ':'` }
    scan.hasColon = true
    return emit(scan, 'punctuation', 1)
  }
  const call = match(scan, DURATION_CALL)
  if (call !== null) {
    if (/^[sr]/i.test(call)) scan.bracket = 'counted'
    return emit(scan, 'preprocessor', call.length, call.toLowerCase())
  }
  if (scan.bracket === 'opened') return notInDuration(scan)
  return { reason: `unexpected character: ${quoteCharacter(text, at)}, expected ':'` }
}

function scanSign(scan: Scan, character: string): Failure | null {
  const { text, at } = scan
  // Before its first number a duration is made of fewer signs.
  if (scan.bracket === 'opened' && !/[-+*/%^(),\]]/.test(character)) return notInDuration(scan)
  switch (character) {
    case '(':
      scan.parens += 1
      return emit(scan, 'punctuation', 1)
    case ')':
      scan.parens -= 1
      if (scan.parens < 0) return { reason: `unexpected right parenthesis ')'`, start: at + 1 }
      return emit(scan, 'punctuation', 1)
    case '{':
      scan.isInBraces = true
      return emit(scan, 'punctuation', 1)
    case '[':
      if (scan.bracket !== 'none') return { reason: `unexpected left bracket '['` }
      scan.bracket = 'opened'
      scan.hasColon = false
      return emit(scan, 'punctuation', 1)
    case ']':
      if (scan.bracket === 'none') return { reason: `unexpected right bracket ']'` }
      scan.bracket = 'none'
      return emit(scan, 'punctuation', 1)
    case ',':
      return emit(scan, 'punctuation', 1)
  }
  const operator = match(scan, OPERATOR)
  if (operator !== null) return emit(scan, 'operator', operator.length)
  if (character === '=' && text[at + 1] !== '~') return emit(scan, 'punctuation', 1)
  if (character === '=' || character === '!') {
    return { reason: `unexpected character after '${character}': ${quoteCharacter(text, at + 1)}` }
  }
  return { reason: `unexpected character: ${quoteCharacter(text, at)}` }
}

function notInDuration({ text, at }: Scan): Failure {
  return { reason: `unexpected character in duration expression: ${quoteCharacter(text, at)}` }
}

function scanNumber(scan: Scan): Failure | null {
  const { text, at } = scan
  if (scan.bracket === 'opened') scan.bracket = 'counted'
  const number = match(scan, NUMBER)?.length ?? 0
  if (!/[A-Za-z0-9_.]/.test(text.charAt(at + number))) return emit(scan, 'number', number)
  const duration = match(scan, DURATION)?.length ?? 0
  if (duration > 0 && !/[A-Za-z0-9_]/.test(text.charAt(at + duration)))
    return emit(scan, 'duration', duration)
  const shown = text.slice(at, at + unreadableLength(scan, number))
  return { reason: `bad number or duration syntax: ${quoteText(shown)}` }
}

/** How much of a number that is none Prometheus shows: what it took for digits and units, and the character that ended it. */
function unreadableLength(scan: Scan, number: number): number {
  if (scan.text.charAt(scan.at + number) === '.') return number + 1
  number += match(scan, /[eE][+-]?/y, number)?.length ?? 0
  const unit = match(scan, /[smhdwy]s?(?:\d+[smhdw]s?)*/y, number)?.length ?? 0
  if (unit === 0) return number
  const more = match(scan, /\d+/y, number + unit)?.length ?? 1
  return Math.min(number + unit + more, scan.text.length - scan.at)
}
