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
 * Compiles `uriRegexRewrite`: every match of an RE2 expression is replaced, `\1` stands for a group, `\0` for the match and
 * two backslashes for one (Envoy's `regex_rewrite`). Throws what RE2JS throws, and for a group that there is not.
 */
export function compileRegexRewrite(match: string, rewrite: string): (path: string) => string {
  const pattern = RE2JS.compile(match)
  const parts = rewrite.match(/\\[\d\\]|[^\\]+|\\/g) ?? []
  const highest = Math.max(0, ...parts.map((part) => groupOf(part) ?? 0))
  if (highest > pattern.groupCount()) throw new RangeError(`there is no group ${highest} in ${match}`)
  const replace = (...groups: readonly unknown[]): string =>
    parts
      .map((part) => {
        const group = groupOf(part)
        if (group !== null) return String(groups[group] ?? '')
        return part === '\\\\' ? '\\' : part
      })
      .join('')
  return (path) => pattern.matcher(path).replaceAll(replace)
}

function groupOf(part: string): number | null {
  return /^\\\d$/.test(part) ? Number(part[1]) : null
}
