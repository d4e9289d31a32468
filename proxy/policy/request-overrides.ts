import { isRetryCondition, type RetryCondition } from '../resilience/retry-condition.ts'
import type { RetryPolicy } from './proxy-policy.ts'
import { retryPolicyOf } from './retry-policy.ts'

/** Request headers by which a caller changes retries and time limits. They are never forwarded, and obeyed only from callers that are trusted. */
export const OVERRIDE_HEADERS = [
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
] as const

/** What of a route a caller may change. */
export interface Overridable {
  readonly retry: RetryPolicy | null
  /** 0: none. */
  readonly timeoutMs: number
}

/**
 * Applies a caller's headers to what the route says, as Envoy does (`RetryStateImpl`, `FilterUtility::finalTimeout`): conditions, codes and header names are
 * added, numbers replace. What cannot be read is ignored. The same object when there is nothing to apply.
 */
export function applyRequestOverrides(
  route: Overridable,
  header: (name: string) => string | undefined,
): Overridable {
  if (OVERRIDE_HEADERS.every((name) => header(name) === undefined)) return route
  const timeoutMs = wholeNumber(header('x-envoy-upstream-rq-timeout-ms')) ?? route.timeoutMs
  return { retry: overriddenRetry(route.retry, header), timeoutMs }
}

function overriddenRetry(
  policy: RetryPolicy | null,
  header: (name: string) => string | undefined,
): RetryPolicy | null {
  const asked = words(header('x-envoy-retry-on'))
    .concat(words(header('x-envoy-retry-grpc-on')))
    .filter((word) => isRetryCondition(word))
  if (policy === null && asked.length === 0) return null
  // A caller that asks for retries where the route has none gets one.
  const base = policy ?? { ...retryPolicyOf({ attempts: 1 }), retryOn: new Set<RetryCondition>() }
  const codes = words(header('x-envoy-retriable-status-codes')).map((word) => wholeNumber(word))
  const names = words(header('x-envoy-retriable-header-names')).map((name) => name.toLowerCase())
  const numRetries = wholeNumber(header('x-envoy-max-retries')) ?? base.numRetries
  if (numRetries === 0) return null
  return {
    ...base,
    numRetries,
    retryOn: new Set([...base.retryOn, ...asked]),
    retriableStatusCodes: new Set([...base.retriableStatusCodes, ...codes.filter((code) => code !== null)]),
    retriableHeaders: [...base.retriableHeaders, ...names],
    perTryTimeoutMs: wholeNumber(header('x-envoy-upstream-rq-per-try-timeout-ms')) ?? base.perTryTimeoutMs,
  }
}

function words(list: string | undefined): readonly string[] {
  return (list ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null
}
