import { quoteText } from '../../model/labels.ts'

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
  /** Known words in lower case, so that they can be compared; otherwise as `text`. */
  readonly word: string
  /** UTF-16 offset of the first unit. */
  readonly start: number
  /** UTF-16 offset after the last unit; for an `error` the end of the query. */
  readonly end: number
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

/** The character at an offset as Go's `%q` writes it: `'a'`; behind the end it is U+FFFD. */
export function quoteCharacter(text: string, at: number): string {
  const code = text.codePointAt(at)
  if (code === undefined) return `'\u{fffd}'`
  const character = String.fromCodePoint(code)
  if (character === "'") return `'\\''`
  return character === '"' ? `'"'` : `'${quoteText(character).slice(1, -1)}'`
}

function shortened(text: string): string {
  const characters = [...text]
  return characters.length > 10 ? `${quoteText(characters.slice(0, 10).join(''))}...` : quoteText(text)
}
