import type { RetryPolicy } from '../policy/proxy-policy.ts'

/** The longest wait that a server may ask for by `Retry-After`, milliseconds; a longer one is not obeyed. */
export const MAX_RATE_LIMITED_BACKOFF_MS = 300_000

/**
 * Wait before retry `number` (1 is the first), milliseconds: uniform in `[0, interval)`, where the interval starts at the base, doubles
 * with each retry and is capped at the maximum (Envoy's `JitteredExponentialBackOffStrategy`; its documentation
 * prints wider intervals from the second retry on, the code is followed). `random` is uniform in `[0, 1)`.
 */
export function retryBackoff(
  policy: Pick<RetryPolicy, 'baseIntervalMs' | 'maxIntervalMs'>,
  number: number,
  random: number,
): number {
  const interval = Math.min(policy.baseIntervalMs * 2 ** (number - 1), policy.maxIntervalMs)
  return Math.floor(random * interval)
}

/**
 * Wait that the response asks for, milliseconds: uniform in `[i, 1.5 i)` for `Retry-After: i` in whole seconds (Envoy's rate-limited back-off);
 * null: the header is absent, no whole number of seconds, or more than 300 s, so {@link retryBackoff} counts.
 */
export function rateLimitedBackoff(retryAfter: string | undefined, random: number): number | null {
  if (retryAfter === undefined || !/^\d{1,9}$/.test(retryAfter)) return null
  const ms = Number(retryAfter) * 1000
  if (ms === 0 || ms > MAX_RATE_LIMITED_BACKOFF_MS) return null
  return Math.floor(ms + random * ms * 0.5)
}
