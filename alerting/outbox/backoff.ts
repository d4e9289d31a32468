const FIRST_MS = 1_000
const LONGEST_MS = 300_000
const LONGEST_WISH_MS = 3_600_000

/**
 * How long to wait after failed attempt `attempt` (1 for the first), milliseconds: full jitter over a bound that doubles from one second
 * to five minutes, and at least what the receiver asked for (an hour of it at most). `random`: 0 to 1.
 */
export function backoffMs(attempt: number, retryAfterMs: number | null, random: number): number {
  const bound = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 20))
  const wish = Math.min(retryAfterMs ?? 0, LONGEST_WISH_MS)
  return Math.max(100, wish, Math.ceil(random * bound))
}
