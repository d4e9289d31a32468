import { parseDuration } from '../../model/duration.ts'
import { parseGoDuration } from './parse-go-duration.ts'

/** A moment as a user writes it: fixed, or told from now. Milliseconds. */
export type TimeText = { readonly epochMs: number } | { readonly fromNowMs: number }

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/
/** The year 9999. Milliseconds since the epoch, taken for seconds, are beyond it. */
const LAST_MS = 253_402_300_799_999

/**
 * Reads a time: RFC 3339 (`2026-11-20T10:00:00.5Z`), Unix seconds (decimals allowed), `now`, `now-1h`, `now+5m`.
 * Exact to the millisecond, rounded down. Null when the text is none of these.
 */
export function parseTime(text: string): TimeText | null {
  if (text === 'now') return { fromNowMs: 0 }
  // A plus that was not escaped in the URL arrives as a space.
  const relative = /^now([-+ ])(.+)$/.exec(text)
  if (relative !== null) {
    const ns = parseDurationNs(relative[2] ?? '')
    if (ns === null) return null
    const ms = Number(ns / 1_000_000n)
    if (ms > LAST_MS) return null
    return { fromNowMs: relative[1] === '-' ? 0 - ms : ms }
  }
  if (/^-?\d{1,12}(\.\d+)?$/.test(text)) return withinCalendar(Math.floor(Number(text) * 1000))
  const repaired = text.replace(/ (?=\d{2}:\d{2}$)/, '+')
  if (!RFC3339.test(repaired)) return null
  return withinCalendar(Date.parse(repaired.toUpperCase()))
}

/** The epoch milliseconds of a time, told from `nowMs` where it is relative. */
export function resolveTime(time: TimeText, nowMs: number): number {
  return 'epochMs' in time ? time.epochMs : nowMs + time.fromNowMs
}

/**
 * Reads a duration: `1h30m`, `250ms`, `1.5s`, `250us`, and, in whole numbers, `7d`, `1w2d`. Returns nanoseconds; null when
 * it is none or is negative.
 */
export function parseDurationNs(text: string): bigint | null {
  const exact = parseGoDuration(text)
  if (exact !== null) return exact
  const ms = parseDuration(text)
  return ms === null ? null : BigInt(ms) * 1_000_000n
}

function withinCalendar(ms: number): TimeText | null {
  return Number.isNaN(ms) || Math.abs(ms) > LAST_MS ? null : { epochMs: ms }
}
