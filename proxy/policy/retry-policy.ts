import { isRetryCondition, type RetryCondition } from '../resilience/retry-condition.ts'
import type { DialectRetryPolicy } from './destination-rule-schema.ts'
import type { RetryPolicy } from './proxy-policy.ts'
import type { HttpRetries } from './virtual-service-schema.ts'

/** Envoy's first back-off interval; the longest is ten times the first. */
const BASE_INTERVAL_MS = 25

/** What Istio does where `retryOn` is not given. */
export const DEFAULT_RETRY_ON = 'connect-failure,refused-stream,unavailable,cancelled'

/** A `retryOn` list, read. */
export interface RetryOn {
  readonly conditions: ReadonlySet<RetryCondition>
  readonly statusCodes: ReadonlySet<number>
  /** Words that are neither a condition nor a status code. */
  readonly unknown: readonly string[]
}

/** Reads a comma-separated `retryOn`; integers are status codes and bring `retriable-status-codes` with them, as in Istio. */
export function parseRetryOn(text: string): RetryOn {
  const conditions = new Set<RetryCondition>()
  const statusCodes = new Set<number>()
  const unknown: string[] = []
  for (const word of text.split(',').map((part) => part.trim())) {
    if (word === '') continue
    if (isRetryCondition(word)) conditions.add(word)
    else if (/^[1-5]\d\d$/.test(word)) statusCodes.add(Number(word))
    else unknown.push(word)
  }
  if (statusCodes.size > 0) conditions.add('retriable-status-codes')
  return { conditions, statusCodes, unknown }
}

/** Istio's default for routes without `retries`: two retries for failures in which the request was not carried out. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = retryPolicyOf({ attempts: 2 })

/**
 * Resolves `retries` of a route. Sub-fields that are not given fall to the built-in defaults. `attempts` not given or 0 is
 * no retry at all, and null.
 */
export function resolveRetries(
  retries: HttpRetries | undefined,
  options: { readonly retriesNonIdempotent: boolean },
): RetryPolicy | null {
  const { retriesNonIdempotent } = options
  if (retries === undefined) return { ...DEFAULT_RETRY_POLICY, retriesNonIdempotent }
  if (retries.attempts === undefined || retries.attempts === 0) return null
  return { ...retryPolicyOf({ ...retries, attempts: retries.attempts }), retriesNonIdempotent }
}

/** The meaning of `trafficPolicy.retryPolicy`, which articles print: Envoy's `RetryPolicy`, one retry unless said otherwise; null: none. */
export function resolveDialectRetry(policy: DialectRetryPolicy): RetryPolicy | null {
  const attempts = policy.numRetries ?? 1
  if (attempts === 0) return null
  const base = policy.retryBackOff?.baseInterval ?? BASE_INTERVAL_MS
  return {
    ...retryPolicyOf({
      attempts,
      retryOn: policy.retryOn,
      perTryTimeout: policy.perTryTimeout,
      backoff: base,
    }),
    maxIntervalMs: policy.retryBackOff?.maxInterval ?? base * 10,
  }
}

/** `retries` with `attempts` given, every default resolved. */
export function retryPolicyOf(retries: HttpRetries & { readonly attempts: number }): RetryPolicy {
  // An empty text counts as not given, as it does for Istio.
  const { conditions, statusCodes } = parseRetryOn(retries.retryOn || DEFAULT_RETRY_ON)
  const base = retries.backoff ?? BASE_INTERVAL_MS
  return {
    numRetries: retries.attempts,
    retryOn: conditions,
    retriableStatusCodes: statusCodes,
    retriableHeaders: [],
    perTryTimeoutMs: retries.perTryTimeout ?? 0,
    baseIntervalMs: base,
    maxIntervalMs: base * 10,
    avoidsPreviousHosts: retries.retryIgnorePreviousHosts ?? true,
    retriesNonIdempotent: false,
  }
}
