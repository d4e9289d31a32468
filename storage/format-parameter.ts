import { AppError } from '../runtime/errors.ts'
import type { Parameter } from './storage.ts'

/** Writes text as a ClickHouse string literal, quotes included. */
export function quoteString(text: string): string {
  return `'${escapeControls(text).replaceAll("'", "\\'")}'`
}

/**
 * Writes a value as ClickHouse expects the text of a `{name:Type}` parameter: escaped as in a TSV field, composite
 * values as literals. Throws INTERNAL for what has no exact text (NaN in an array is `nan`; an unsafe integer is refused).
 */
export function formatParameter(value: Parameter): string {
  if (value === null) return '\\N'
  if (typeof value === 'string') return escapeControls(value)
  // An integer cannot be read from '-0.0', nor an unsigned one from '-0'.
  if (Object.is(value, -0)) return '0'
  return formatLiteral(value)
}

function formatLiteral(value: Parameter): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return quoteString(value)
  if (typeof value === 'number') return formatNumber(value)
  if (typeof value === 'object') return `[${value.map(formatLiteral).join(',')}]`
  return String(value)
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21) {
    throw new AppError('INTERNAL', `Cannot bind the parameter ${value}: integers beyond 2^53 must be bigints`)
  }
  return Object.is(value, -0) ? '-0.0' : String(value)
}

function escapeControls(text: string): string {
  return text.replace(/[\\\0\b\t\n\f\r]/g, (character) => ESCAPES[character] ?? character)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\0': '\\0',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
}
