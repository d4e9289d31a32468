import { parseDuration } from '../../../model/duration.ts'
import { compileMatcher, type Matcher } from '../../../model/matcher.ts'
import { AppError, errorMessage } from '../../../runtime/errors.ts'
import { parseSelector } from '../../promql/parse-selector.ts'
import { parseTime, resolveTime } from '../parse-time.ts'
import { allValues, firstValue, type QueryString } from '../query-values.ts'

/**
 * Parameters of Prometheus' API, read as it reads them. All throw AppError INVALID_ARGUMENT in its words
 * (`invalid parameter "time": cannot parse "x" to a valid timestamp`).
 */

/**
 * A time: Unix seconds with decimals, or RFC 3339, and, beyond Prometheus, `now-1h`; epoch milliseconds. Null when absent.
 */
export function readTime(query: QueryString, name: string, nowMs: number): number | null {
  const text = firstValue(query, name)
  if (text === null) return null
  const ms = parseTimestamp(text, nowMs)
  if (ms !== null) return ms
  throw invalid(
    name,
    `invalid time value for '${name}': cannot parse ${JSON.stringify(text)} to a valid timestamp`,
  )
}

/** A time that must be there. */
export function requireTime(query: QueryString, name: string, nowMs: number): number {
  const text = firstValue(query, name) ?? ''
  const ms = text === '' ? null : parseTimestamp(text, nowMs)
  if (ms !== null) return ms
  throw invalid(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`)
}

/** A duration: seconds with decimals, or `1h30m`; milliseconds. Null when absent. */
export function readDuration(query: QueryString, name: string): number | null {
  const text = firstValue(query, name)
  if (text === null) return null
  const seconds = parseFloatText(text)
  if (seconds !== null && Math.abs(seconds * 1e9) > 2 ** 63) {
    throw invalid(name, `cannot parse ${JSON.stringify(text)} to a valid duration. It overflows int64`)
  }
  // In whole nanoseconds, as Go has durations.
  const ms = seconds === null ? parseDuration(text) : Math.trunc(seconds * 1e9) / 1e6
  if (ms !== null && !Number.isNaN(ms)) return ms
  throw invalid(name, `cannot parse ${JSON.stringify(text)} to a valid duration`)
}

/** A limit of how much is answered; 0 or absent: none. */
export function readLimit(query: QueryString, name = 'limit'): number | null {
  const text = firstValue(query, name)
  if (text === null) return null
  if (!/^[-+]?\d{1,15}$/.test(text)) {
    throw invalid(name, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  if (Number(text) < 0) throw invalid(name, 'limit must be non-negative')
  return Number(text) === 0 ? null : Number(text)
}

/** A limit of `metadata`, whose 0 is nothing and whose negative numbers are no limit; Infinity when absent. */
export function readCount(query: QueryString, name: string): number {
  const text = firstValue(query, name)
  if (text === null) return Number.POSITIVE_INFINITY
  if (!/^[-+]?\d{1,15}$/.test(text)) throw new AppError('INVALID_ARGUMENT', `${name} must be a number`)
  return Number(text) < 0 ? Number.POSITIVE_INFINITY : Number(text)
}

/** The selectors of `match[]`. `isNamed`: whether errors name the parameter; those of the lists of labels do not. */
export function readMatchers(query: QueryString, isNamed = true): Matcher[][] {
  const refuse = (reason: string) =>
    isNamed ? invalid('match[]', reason) : new AppError('INVALID_ARGUMENT', reason)
  return allValues(query, 'match[]').map((text) => {
    const matchers = readSelector(text, refuse)
    if (matchers.every((matcher) => compileMatcher(matcher)(''))) {
      throw refuse('match[] must contain at least one non-empty matcher')
    }
    return [...matchers]
  })
}

/** The error of a parameter. */
export function invalid(name: string, reason: string): AppError {
  return new AppError('INVALID_ARGUMENT', `invalid parameter ${JSON.stringify(name)}: ${reason}`)
}

function readSelector(text: string, refuse: (reason: string) => AppError): readonly Matcher[] {
  try {
    return parseSelector(text)
  } catch (error) {
    throw refuse(errorMessage(error))
  }
}

function parseTimestamp(text: string, nowMs: number): number | null {
  const seconds = parseFloatText(text)
  if (seconds !== null) {
    if (!Number.isFinite(seconds)) return null
    const whole = Math.trunc(seconds)
    return whole * 1000 + Math.round((seconds - whole) * 1000)
  }
  const relative = text.startsWith('now') ? parseTime(text) : null
  if (relative !== null) return resolveTime(relative, nowMs)
  const repaired = text.replace(/ (?=\d{2}:\d{2}$)/, '+')
  if (!RFC3339.test(repaired)) return null
  const ms = Date.parse(repaired)
  return Number.isNaN(ms) ? null : ms
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

function parseFloatText(text: string): number | null {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : null
}
