import type { DeliveryOutcome } from '../notifier.ts'

/** Statuses after which the same message may be taken later, beside 5xx. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 425, 429])
/** A receiver may ask us to wait, but not for ever. */
const MAX_RETRY_AFTER_MS = 3_600_000

/**
 * What an answer means: 2xx is delivered; 408, 425, 429 and 5xx are tried again, after `Retry-After` where it is said; anything else,
 * redirects included (they are not followed), will not get better by itself.
 */
export function classifyResponse(
  status: number,
  retryAfter: string | undefined,
  response: string,
  nowMs: number,
): DeliveryOutcome {
  const receipt = { response: `${status}${response === '' ? '' : ` ${response}`}`.slice(0, 300) }
  if (status >= 200 && status < 300) return { outcome: 'delivered', receipt }
  const reason = `the receiver answered ${receipt.response}`
  if (status < 500 && !RETRYABLE.has(status)) return { outcome: 'permanent', reason, receipt }
  const retryAfterMs = readRetryAfter(retryAfter, nowMs)
  return { outcome: 'retry', reason, receipt, ...(retryAfterMs === null ? {} : { retryAfterMs }) }
}

/** `Retry-After` in seconds or as a date (RFC 9110), as milliseconds from now. */
function readRetryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null
  const ms = /^\d{1,10}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : null
}
