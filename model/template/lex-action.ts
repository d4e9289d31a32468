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
  if (kind === 'string') return text.startsWith('`') ? text.slice(1, -1) : unquote(text)
  if (kind === 'char') return BigInt(unquote(text).codePointAt(0) ?? 0)
  return kind === 'number' ? readNumber(text.replaceAll('_', '')) : null
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

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

/** The text of a Go string or character literal. */
function unquote(literal: string): string {
  const body = literal.slice(1, -1)
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gs,
    (_all, hex: string, short: string, long: string, octal: string, simple: string) => {
      const code = hex ?? short ?? long
      if (code !== undefined) return codePoint(Number.parseInt(code, 16))
      if (octal !== undefined) return codePoint(Number.parseInt(octal, 8))
      const known = Object.hasOwn(ESCAPES, simple) ? ESCAPES[simple] : undefined
      if (known === undefined) throw new SyntaxError(`invalid escape \\${simple}`)
      return known
    },
  )
}

function codePoint(code: number): string {
  if (code > 0x10ffff) throw new SyntaxError(`invalid code point ${code}`)
  return String.fromCodePoint(code)
}
