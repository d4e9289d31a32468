import { AppError } from '../../../runtime/errors.ts'

const PAIR = /\s*([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)/y

/**
 * Reads logfmt, `key=value key="value with spaces"`, as Tempo's `tags` parameter is written; inside quotes `\"`, `\\`,
 * `\n` and `\t`. Throws AppError INVALID_ARGUMENT with the position, also for a key that is given twice.
 */
export function parseLogfmt(text: string): { readonly key: string; readonly value: string }[] {
  const pairs: { key: string; value: string }[] = []
  PAIR.lastIndex = 0
  let position = 0
  while (text.slice(position).trim() !== '') {
    PAIR.lastIndex = position
    const match = PAIR.exec(text)
    if (match === null) {
      throw new AppError(
        'INVALID_ARGUMENT',
        `invalid tags: expected key=value or key="value" at pos ${position + 1}`,
      )
    }
    const key = match[1] ?? ''
    if (pairs.some((pair) => pair.key === key)) {
      throw new AppError('INVALID_ARGUMENT', `invalid tags: tag ${key} has been set twice`)
    }
    pairs.push({ key, value: match[2] === undefined ? (match[3] ?? '') : unescapeQuoted(match[2]) })
    position = PAIR.lastIndex
  }
  return pairs
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }

/** Undoes the backslashes inside a quoted text. */
export function unescapeQuoted(text: string): string {
  return text.replace(/\\(.)/gs, (_, character: string) => ESCAPES[character] ?? character)
}
