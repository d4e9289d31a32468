import type { z } from 'zod'

/**
 * What a schema's complaint means for the person who wrote the value: `expected a number from 0 to 65535, got "x"`.
 * `shown` is the value as it may be shown; null when it must not be.
 */
export function explainIssue(issue: z.core.$ZodIssue, shown: string | null): string {
  const got = shown === null ? '' : `, got ${shown}`
  return `${expectation(issue)}${got}`
}

/** A value as messages show it, cut short. */
export function showValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function expectation(issue: z.core.$ZodIssue): string {
  if (/^expected /.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPE_NAMES[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `expected one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      if (issue.origin === 'string') return 'expected a text that is not empty'
      return `expected at least ${issue.minimum}`
    case 'too_big':
      return `expected at most ${issue.maximum}`
    case 'invalid_format':
      return `expected ${issue.format === 'url' ? 'a URL' : issue.format}`
    case 'invalid_union':
      return [...new Set(issue.errors.flat().map(expectation))].join(' or ').replace(/ or expected /g, ' or ')
    default:
      return issue.message
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section with keys',
}
