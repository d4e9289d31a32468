const ESCAPE = /\\(x[0-9a-fA-F]{2}|[0-7]{3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\s\S]|$)/g

const ONE_CHARACTER: Readonly<Record<string, string>> = {
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

/**
 * The text that a Go literal stands for: in `"` or `'` with escapes, or raw in back-quotes. Escapes that name bytes (`\xff`,
 * `\377`) are read as UTF-8; what is not UTF-8 becomes U+FFFD. Throws SyntaxError for an escape that Go does not know.
 * Where a literal ends is the caller's to find.
 */
export function unquoteGo(quoted: string): string {
  const inner = quoted.slice(1, -1)
  if (quoted.startsWith('`')) return inner.replaceAll('\r', '')
  if (!inner.includes('\\')) return inner
  const parts: Buffer[] = []
  let at = 0
  for (const match of inner.matchAll(ESCAPE)) {
    parts.push(Buffer.from(inner.slice(at, match.index)), escapedBytes(match[1] ?? ''))
    at = match.index + match[0].length
  }
  parts.push(Buffer.from(inner.slice(at)))
  return Buffer.concat(parts).toString('utf8')
}

function escapedBytes(written: string): Buffer {
  const kind = written.charAt(0)
  if (written.length === 1) {
    const character = ONE_CHARACTER[written]
    if (character !== undefined) return Buffer.from(character)
  } else if (kind === 'x') return Buffer.of(Number.parseInt(written.slice(1), 16))
  else if (kind === 'u' || kind === 'U') {
    const code = Number.parseInt(written.slice(1), 16)
    if (code <= 0x10ffff) return Buffer.from(String.fromCodePoint(code))
  } else if (written !== '' && Number.parseInt(written, 8) <= 0xff) {
    return Buffer.of(Number.parseInt(written, 8))
  }
  throw new SyntaxError(`invalid escape \\${written}`)
}
