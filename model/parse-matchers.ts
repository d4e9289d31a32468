import { compileMatcher, type Matcher } from './matcher.ts'
import { unquoteGo } from './unquote-go.ts'

const MATCHER_OP = /=~|!~|!=|=/y
// White space and these end a name or value that is not quoted.
const UNQUOTED = /[^\s{}!=~,\\"'`]+/y
const QUOTED = /"(?:[^"\\\n]|\\[\s\S])*"/y
const CLASSIC = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*([\s\S]*?)\s*$/

/**
 * Reads one matcher in Alertmanager's syntax: `foo="bar"`, `foo=~b.*`, `"with space"!=x`. What the UTF-8 syntax refuses is tried in the
 * classic one, as Alertmanager does. Throws SyntaxError, also for a pattern that is not RE2.
 */
export function parseMatcher(text: string): Matcher {
  const matchers = parseMatchers(text)
  const [matcher] = matchers
  if (matcher === undefined) throw new SyntaxError('no matchers')
  if (matchers.length > 1) throw new SyntaxError(`expected 1 matcher, found ${matchers.length}`)
  return matcher
}

/** Reads matchers separated by commas, with or without braces around them: `{a=~"b.*",c!="d"}`. Throws SyntaxError. */
export function parseMatchers(text: string): Matcher[] {
  let matchers: Matcher[]
  try {
    matchers = parseUtf8(text)
  } catch (error) {
    const classic = parseClassic(text)
    if (classic === null) throw error
    matchers = classic
  }
  for (const matcher of matchers) compileMatcher(matcher)
  return matchers
}

function parseUtf8(text: string): Matcher[] {
  const matchers: Matcher[] = []
  let at = 0
  const skipSpace = () => {
    while (at < text.length && /\s/.test(text[at] ?? '')) at += 1
  }
  const fail = (expected: string): never => {
    const found = at >= text.length ? 'end of input' : JSON.stringify(text[at])
    throw new SyntaxError(`${at}:${at + 1}: ${found}: expected ${expected}`)
  }
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) return null
    at += match[0].length
    return match[0]
  }
  const word = (expected: string): string => {
    skipSpace()
    const quoted = take(QUOTED)
    return quoted === null ? (take(UNQUOTED) ?? fail(expected)) : unquoteGo(quoted)
  }
  skipSpace()
  const isBraced = text[at] === '{'
  if (isBraced) at += 1
  for (;;) {
    skipSpace()
    if (at >= text.length || text[at] === '}') break
    const name = word('label name')
    skipSpace()
    const op = take(MATCHER_OP) ?? fail('an operator such as =, !=, =~ or !~')
    matchers.push({ name, op: op as Matcher['op'], value: word('label value') })
    skipSpace()
    if (text[at] !== ',') break
    at += 1
  }
  if (isBraced) {
    if (text[at] !== '}') fail('}')
    at += 1
    skipSpace()
  }
  if (at < text.length) fail('comma or end of input')
  return matchers
}

/** The syntax before UTF-8: an unquoted value may hold anything but a comma. Null: not that either. */
function parseClassic(text: string): Matcher[] | null {
  const trimmed = text.trim()
  const inner = trimmed.startsWith('{') && trimmed.endsWith('}') ? trimmed.slice(1, -1) : trimmed
  const matchers: Matcher[] = []
  for (const part of splitAtCommas(inner)) {
    if (part.trim() === '') continue
    const match = CLASSIC.exec(part)
    if (match === null) return null
    const raw = match[3] ?? ''
    const isQuoted = raw.startsWith('"')
    if (isQuoted && (raw.length < 2 || !raw.endsWith('"'))) return null
    const value = isQuoted ? raw.slice(1, -1) : raw
    if (/(?<!\\)(?:\\\\)*"/.test(value)) return null
    matchers.push({
      name: match[1] ?? '',
      op: match[2] as Matcher['op'],
      value: value.replace(/\\([\\n"])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    })
  }
  return matchers
}

function splitAtCommas(text: string): string[] {
  const parts: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') isQuoted = !isQuoted
    else if (text[at] === ',' && !isQuoted) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
