import { unquoteGo } from '../unquote-go.ts'

/** One word of an action. `text` is the source; `value` of strings, characters and numbers is decoded. */
export interface Token {
  readonly kind:
    | 'space'
    | 'field'
    | 'variable'
    | 'identifier'
    | 'string'
    | 'number'
    | 'char'
    | 'dot'
    | 'pipe'
    | 'open'
    | 'close'
    | 'declare'
    | 'assign'
    | 'comma'
  readonly text: string
  readonly value: string | number | bigint | null
}

const WORDS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['space', /\s+/y],
  ['declare', /:=/y],
  ['assign', /=/y],
  ['pipe', /\|/y],
  ['open', /\(/y],
  ['close', /\)/y],
  ['comma', /,/y],
  ['string', /"(?:[^"\\\n]|\\.)*"/y],
  ['string', /`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\[^\n])+'/y],
  [
    'number',
    /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\p{L}_])/uy,
  ],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['variable', /\$(?:[\p{L}_][\p{L}\p{N}_]*)?/uy],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
]

/** Splits the inside of an action into words. Throws SyntaxError naming what is unexpected. */
export function lexAction(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    const token = nextToken(source, at)
    if (token === null) throw new SyntaxError(unexpected(source, at))
    tokens.push(token)
    at += token.text.length
  }
  return tokens
}

function nextToken(source: string, at: number): Token | null {
  for (const [kind, pattern] of WORDS) {
    pattern.lastIndex = at
    const text = pattern.exec(source)?.[0]
    if (text === undefined) continue
    return { kind, text, value: decode(kind, text) }
  }
  return null
}

function unexpected(source: string, at: number): string {
  const char = source[at] ?? ''
  if (char === '"') return 'unterminated quoted string'
  if (char === '`') return 'unterminated raw quoted string'
  if (char === "'") return 'unterminated character constant'
  if (/\d/.test(char)) return `bad number syntax: ${JSON.stringify(source.slice(at, at + 10))}`
  return `unexpected ${JSON.stringify(char)} in operand`
}

function decode(kind: Token['kind'], text: string): Token['value'] {
  if (kind === 'string') return unquoteGo(text)
  if (kind === 'char') return readCharacter(text)
  return kind === 'number' ? readNumber(text.replaceAll('_', '')) : null
}

/** Go's value of a character constant: an escape that names a byte is that number, not a byte of UTF-8. */
function readCharacter(text: string): bigint {
  const byte = /^'\\(?:x([0-9a-fA-F]{2})|([0-7]{3}))'$/.exec(text)
  if (byte === null) return BigInt(unquoteGo(text).codePointAt(0) ?? 0)
  return BigInt(byte[1] === undefined ? `0o${byte[2]}` : `0x${byte[1]}`)
}

/** An integer where the text is one (as Go's ideal constants), else a double. */
function readNumber(text: string): number | bigint {
  if (/^[+-]?(?:0[xXbBoO][0-9a-fA-F]+|\d+)$/.test(text)) {
    const isNegative = text.startsWith('-')
    const magnitude = BigInt(text.replace(/^[+-]/, ''))
    return isNegative ? -magnitude : magnitude
  }
  return Number(text)
}
