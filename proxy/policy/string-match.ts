import { RE2JS } from 're2js'
import type { StringMatch } from './proxy-policy.ts'
import type { StringCondition } from './virtual-service-schema.ts'

/**
 * Compiles `{exact}`, `{prefix}` or `{regex}`; null: it has none of them and asks for presence only. A regular expression
 * must match the whole text. Throws what RE2JS throws for one that it cannot compile.
 */
export function compileStringMatch(
  condition: StringCondition | null | undefined,
  options: { readonly ignoresCase?: boolean } = {},
): StringMatch | null {
  if (condition === null || condition === undefined) return null
  const fold = options.ignoresCase === true ? (text: string) => text.toLowerCase() : (text: string) => text
  const { exact, prefix, regex } = condition
  if (exact !== undefined) {
    const value = fold(exact)
    return { kind: 'exact', value: exact, test: (text) => fold(text) === value }
  }
  if (prefix !== undefined) {
    const value = fold(prefix)
    return { kind: 'prefix', value: prefix, test: (text) => fold(text).startsWith(value) }
  }
  if (regex === undefined) return null
  const pattern = RE2JS.compile(regex)
  return { kind: 'regex', value: regex, test: (text) => pattern.matches(text) }
}

/**
 * Compiles `uriRegexRewrite`: every match of an RE2 expression is replaced, `\1` stands for a group and `\0` for the match (Envoy's
 * `regex_rewrite`). Throws what RE2JS throws.
 */
export function compileRegexRewrite(match: string, rewrite: string): (path: string) => string {
  const pattern = RE2JS.compile(match)
  // Java's replacement syntax: `$1` is a group, a backslash quotes the next character.
  const replacement = rewrite.replace(/\\(\d)|\\(.)|\$/g, (text, group, quoted) => {
    if (group !== undefined) return `$${group}`
    return quoted !== undefined ? `\\${quoted}` : `\\${text}`
  })
  return (path) => pattern.matcher(path).replaceAll(replacement)
}
