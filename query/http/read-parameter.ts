import { AppError } from '../../runtime/errors.ts'
import { parseGoDuration } from './parse-go-duration.ts'
import { firstValue, type QueryString } from './query-values.ts'

/**
 * Parameters of the façades. The first of several names that is present counts. All throw AppError INVALID_ARGUMENT, with
 * the parameter's name and what is expected; all return null when the parameter is absent.
 */

/** A whole number of at least `least`. */
export function readWhole(query: QueryString, least: number, ...names: readonly string[]): number | null {
  return read(query, names, `a whole number of at least ${least}`, (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : -1
    return number >= least ? number : null
  })
}

/** A number of microseconds, milliseconds or seconds since the epoch; the answer is in milliseconds, not rounded. */
export function readEpoch(
  query: QueryString,
  unit: 'microseconds' | 'milliseconds' | 'seconds',
  name: string,
): number | null {
  const perMs = { microseconds: 0.001, milliseconds: 1, seconds: 1000 }[unit]
  return read(query, [name], `whole ${unit} since the epoch`, (text) => {
    const ms = /^\d{1,17}$/.test(text) ? Number(text) * perMs : Number.POSITIVE_INFINITY
    return ms <= LAST_MS ? ms : null
  })
}

/** A duration as Go writes it, in nanoseconds. */
export function readGoDuration(query: QueryString, ...names: readonly string[]): bigint | null {
  return read(query, names, `a duration like 1.5s, 100ms or 250us`, parseGoDuration)
}

/** An RFC 3339 time, in whole milliseconds since the epoch, rounded as asked. */
export function readRfc3339(
  query: QueryString,
  rounding: 'down' | 'up',
  ...names: readonly string[]
): number | null {
  return read(query, names, 'an RFC 3339 time like 2026-11-20T10:00:00.5Z', (text) => {
    // A plus that was not escaped in the URL arrives as a space.
    const repaired = text.replace(/ (?=\d{2}:\d{2}$)/, '+')
    if (!RFC3339.test(repaired)) return null
    const ms = Date.parse(repaired.toUpperCase())
    const isBetween = rounding === 'up' && /\.\d{3}\d*[1-9]/.test(repaired)
    return Number.isNaN(ms) ? null : ms + (isBetween ? 1 : 0)
  })
}

const LAST_MS = 8.64e15
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/

function read<Value>(
  query: QueryString,
  names: readonly string[],
  expected: string,
  parse: (text: string) => Value | null,
): Value | null {
  const name = names.find((candidate) => firstValue(query, candidate) !== null)
  if (name === undefined) return null
  const text = firstValue(query, name) ?? ''
  const value = parse(text)
  if (value !== null) return value
  throw new AppError(
    'INVALID_ARGUMENT',
    `Cannot read the parameter '${name}': expected ${expected}, found '${text.slice(0, 100)}'`,
  )
}
