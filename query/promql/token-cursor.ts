import type { AppError } from '../../runtime/errors.ts'
import type { TextRange } from './ast.ts'
import { tokenize } from './lexer.ts'
import { parseError } from './parse-error.ts'
import { describeToken, type Token } from './token.ts'

/** A query's tokens, read one by one. */
export interface TokenCursor {
  readonly text: string
  /** The next token, which stays. Throws AppError QUERY_PARSE_FAILED when the query cannot be cut on from here. */
  peek(): Token
  /** The next token, which is taken; `eof` is never used up. Throws as `peek`. */
  next(): Token
  /** Whether the next token is this word or sign and not a quoted text or a name. */
  isNext(word: string): boolean
  /** Takes the next token if it is this word or sign. */
  accept(word: string): boolean
  /** Where the last token that was taken ends. */
  lastEnd(): number
  /** From `start` to the end of the last token that was taken. */
  rangeFrom(start: number): TextRange
  /** The error that the next token is not what must stand here: `unexpected ")" in CONTEXT, expected EXPECTED`. */
  unexpected(context: string, expected: string): AppError
}

const NAMES: ReadonlySet<string> = new Set(['identifier', 'metricIdentifier', 'string', 'number', 'duration'])

/** Cuts a query into tokens and stands before the first. */
export function createTokenCursor(text: string): TokenCursor {
  const tokens = tokenize(text)
  let at = 0
  let lastEnd = 0

  const peek = (): Token => {
    const token = tokens[at] ?? tokens[tokens.length - 1]
    if (token === undefined) throw new Error('A tokenized text has at least one token')
    if (token.kind === 'error') throw parseError(text, token, token.text)
    return token
  }
  const next = (): Token => {
    const token = peek()
    if (token.kind !== 'eof') at += 1
    lastEnd = token.end
    return token
  }
  const isNext = (word: string): boolean => {
    const token = peek()
    return token.word === word && !NAMES.has(token.kind)
  }
  return {
    text,
    peek,
    next,
    isNext,
    accept: (word) => {
      if (!isNext(word)) return false
      next()
      return true
    },
    lastEnd: () => lastEnd,
    rangeFrom: (start) => ({ start, end: lastEnd }),
    unexpected: (context, expected) => {
      const token = peek()
      const where = context === '' ? '' : ` in ${context}`
      const wanted = expected === '' ? '' : `, expected ${expected}`
      return parseError(text, token, `unexpected ${describeToken(token)}${where}${wanted}`)
    },
  }
}
