import { RE2JS } from 're2js'

/** One condition on a label's value. An absent label has the value ''. `=~` and `!~` are RE2 and match the whole value. */
export interface Matcher {
  readonly name: string
  readonly op: '=' | '!=' | '=~' | '!~'
  readonly value: string
}

/**
 * The test that a matcher makes on a label's value. Patterns are RE2 (linear time), anchored at both ends, and a dot matches
 * a line break too, as in Prometheus. Literals and alternations of literals are compared without an automaton.
 * Throws SyntaxError, with RE2's reason, when the pattern is none.
 */
export function compileMatcher(matcher: Matcher): (value: string) => boolean {
  const { op, value: wanted } = matcher
  if (op === '=') return (value) => value === wanted
  if (op === '!=') return (value) => value !== wanted
  const matches = compilePattern(wanted)
  return op === '=~' ? matches : (value) => !matches(value)
}

/**
 * The test whether a text matches a pattern as a whole (see {@link compileMatcher}). Throws SyntaxError when the pattern is none.
 */
export function compilePattern(pattern: string): (value: string) => boolean {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  const matches = literalTest(pattern) ?? patternTest(pattern)
  if (compiled.size >= MOST_COMPILED) compiled.delete(compiled.keys().next().value ?? '')
  compiled.set(pattern, matches)
  return matches
}

/**
 * The texts that a pattern matches, when it is a literal or an alternation of literals (`a|b|c`); null when it is more than that.
 */
export function literalAlternatives(pattern: string): readonly string[] | null {
  return SPECIAL.test(pattern) ? null : pattern.split('|')
}

const MOST_COMPILED = 1000
const SPECIAL = /[\\.+*?()[\]{}^$]/
// The test of a pattern depends on its text alone, so one cache serves everybody.
const compiled = new Map<string, (value: string) => boolean>()

function literalTest(pattern: string): ((value: string) => boolean) | null {
  if (pattern === '.*') return () => true
  if (pattern === '.+') return (value) => value !== ''
  const literals = literalAlternatives(pattern)
  if (literals === null) return prefixTest(pattern)
  if (literals.length === 1) return (value) => value === pattern
  const all = new Set(literals)
  return (value) => all.has(value)
}

function prefixTest(pattern: string): ((value: string) => boolean) | null {
  const rest = pattern.slice(0, -2)
  if (SPECIAL.test(rest) || rest.includes('|')) return null
  if (pattern.endsWith('.*')) return (value) => value.startsWith(rest)
  if (pattern.endsWith('.+')) return (value) => value.startsWith(rest) && value.length > rest.length
  return null
}

function patternTest(pattern: string): (value: string) => boolean {
  const expression = compileRe2(pattern)
  return (value) => expression.testExact(value)
}

function compileRe2(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL)
  } catch (thrown) {
    throw new SyntaxError(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
  }
}
