import { parseDuration } from '../../model/duration.ts'
import { quoteText } from '../../model/labels.ts'
import { parseError } from './parse-error.ts'
import type { Token } from './token.ts'

/** Durations are kept in 64 bits of nanoseconds, so this is the longest that Prometheus can keep, seconds. */
export const LONGEST_DURATION_S = 2 ** 63 / 1e9

/**
 * The value of a `number` or `duration` token of a query, durations in seconds. Integers are read as Go's `ParseInt(text, 0)` reads them
 * (so `017` is octal). Throws AppError QUERY_PARSE_FAILED with the token's position.
 */
export function readNumberToken(text: string, token: Token): number {
  if (token.kind === 'duration') {
    const ms = parseDuration(token.text)
    if (ms === null) throw parseError(text, token, `not a valid duration string: ${quoteText(token.text)}`)
    if (ms / 1000 > LONGEST_DURATION_S) throw parseError(text, token, 'duration out of range')
    return ms / 1000
  }
  const value = parseNumber(token.text)
  if (value === null) {
    throw parseError(
      text,
      token,
      `error parsing number: strconv.ParseFloat: parsing ${quoteText(token.text)}: value out of range`,
    )
  }
  return value
}

/**
 * A number as PromQL writes it, without sign: decimal, hexadecimal, octal with a leading zero, underscores between digits, `Inf`, `NaN`
 * in any case. Null when it is none or is too large for a float64.
 */
export function parseNumber(text: string): number | null {
  const digits = text.replaceAll('_', '').toLowerCase()
  if (digits === 'inf') return Number.POSITIVE_INFINITY
  if (digits === 'nan') return Number.NaN
  if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8)
  if (!/^(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/.test(digits)) return null
  const value = Number(digits)
  return Number.isFinite(value) ? value : null
}

/** A number as {@link parseNumber} reads it, with or without a sign; null when it is none. */
export function parseSignedNumber(text: string): number | null {
  const value = parseNumber(text.replace(/^[+-]/, ''))
  return value !== null && text.startsWith('-') ? -value : value
}
