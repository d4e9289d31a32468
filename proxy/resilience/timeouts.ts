/** The time limits of a request, milliseconds; 0: none. */
export interface Timeouts {
  /** From the end of the downstream request to the end of the response, retries and back-off included. */
  readonly requestMs: number
  /** Of each attempt, from the connection being there to the response's head. */
  readonly perTryMs: number
}

/** Resolves the limits of a route: a per-try limit that is not shorter than the request's is ignored, as in Envoy. */
export function resolveTimeouts(requestMs: number, perTryMs: number): Timeouts {
  const isPerTryUseless = requestMs > 0 && perTryMs >= requestMs
  return { requestMs, perTryMs: isPerTryUseless ? 0 : perTryMs }
}

/** What is left of the request's limit after `elapsedMs`; at least 0, null: no limit. */
export function remainingTimeout(timeouts: Timeouts, elapsedMs: number): number | null {
  return timeouts.requestMs === 0 ? null : Math.max(0, timeouts.requestMs - elapsedMs)
}

/**
 * `x-envoy-expected-rq-timeout-ms` of an attempt: the shorter of the per-try limit and what is left of the request's,
 * whole milliseconds, at least 1; null: no limit, no header.
 */
export function expectedTimeout(timeouts: Timeouts, elapsedMs: number): number | null {
  const remaining = remainingTimeout(timeouts, elapsedMs)
  const limits = [remaining, timeouts.perTryMs === 0 ? null : timeouts.perTryMs].filter((ms) => ms !== null)
  return limits.length === 0 ? null : Math.max(1, Math.floor(Math.min(...limits)))
}

/** No limit at all. */
export const NO_TIMEOUTS: Timeouts = { requestMs: 0, perTryMs: 0 }
