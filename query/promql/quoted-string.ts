/** Where a quoted text ends (UTF-16 offset after the closing quote), or why there is none, in Prometheus' words. */
export type ScannedString = { readonly end: number } | { readonly reason: string }

/**
 * Finds the end of the text that begins with the quote at `start`: `"` and `'` with Go's escapes, or a raw text in back-quotes.
 */
export function scanString(text: string, start: number): ScannedString {
  const quote = text.charAt(start)
  if (quote === '`') {
    const end = text.indexOf('`', start + 1)
    return end === -1 ? { reason: 'unterminated raw string' } : { end: end + 1 }
  }
  let at = start + 1
  for (;;) {
    const character = text.charAt(at)
    if (character === '' || character === '\n') return { reason: 'unterminated quoted string' }
    at += 1
    if (character === quote) return { end: at }
    if (character !== '\\') continue
    const escaped = scanEscape(text, at, quote)
    if ('reason' in escaped) return escaped
    at = escaped.end
  }
}

const DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

/** `at` is the offset of the character after the backslash. */
function scanEscape(text: string, at: number, quote: string): ScannedString {
  const kind = text.charAt(at)
  if (kind === '') return { reason: 'escape sequence not terminated' }
  if (`abfnrtv\\${quote}`.includes(kind)) return { end: at + 1 }
  const isOctal = /[0-7]/.test(kind)
  const length = isOctal ? 3 : DIGITS[kind]
  if (length === undefined) return { reason: `unknown escape sequence ${nameCharacter(text, at)}` }
  const from = isOctal ? at : at + 1
  const digit = isOctal ? /[0-7]/ : /[0-9a-fA-F]/
  for (let i = from; i < from + length; i += 1) {
    if (i >= text.length) return { reason: 'escape sequence not terminated' }
    if (!digit.test(text.charAt(i))) {
      return { reason: `illegal character ${nameCharacter(text, i)} in escape sequence` }
    }
  }
  const code = Number.parseInt(text.slice(from, from + length), isOctal ? 8 : 16)
  const isSurrogate = code >>> 11 === 0xd800 >>> 11
  if (isSurrogate || code > (isOctal ? 0xff : 0x10ffff)) {
    return { reason: 'escape sequence is an invalid Unicode code point' }
  }
  return { end: from + length }
}

/** Go's `%#U`: `U+0041 'A'`. */
function nameCharacter(text: string, at: number): string {
  const code = text.codePointAt(at) ?? 0
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`
}
