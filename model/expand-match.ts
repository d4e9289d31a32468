import type { RE2JS } from 're2js'

/**
 * What Go's `Regexp.Expand` makes of a template when a pattern matches a text as a whole: `$1`, `$name` and `${name}` are groups (one
 * that there is not is empty), `$$` is a dollar sign. Null when it does not match.
 */
export function expandMatch(pattern: RE2JS, text: string, template: string): string | null {
  const match = pattern.matcher(text)
  if (!match.matches()) return null
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{N}_]+)\}|([\p{L}\p{N}_]+))/gu,
    (whole, braced?: string, bare?: string) => (whole === '$$' ? '$' : groupOf(match, braced ?? bare ?? '')),
  )
}

function groupOf(match: ReturnType<RE2JS['matcher']>, name: string): string {
  try {
    return (/^\d+$/.test(name) ? match.group(Number(name)) : match.group(name)) ?? ''
  } catch {
    return ''
  }
}
