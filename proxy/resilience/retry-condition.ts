/** Conditions of `retryOn`: Envoy's `x-envoy-retry-on` and `x-envoy-retry-grpc-on` together. */
export const RETRY_CONDITIONS = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
] as const

/** One of {@link RETRY_CONDITIONS}. */
export type RetryCondition = (typeof RETRY_CONDITIONS)[number]

const KNOWN: ReadonlySet<string> = new Set(RETRY_CONDITIONS)

/** Whether the text is a condition that Envoy knows. */
export function isRetryCondition(text: string): text is RetryCondition {
  return KNOWN.has(text)
}
