import type { RetryPolicy } from '../policy/proxy-policy.ts'
import type { RetryCondition } from './retry-condition.ts'

/** Why an attempt ended without response headers. */
export type ResetReason =
  /** Our own breaker refused it. */
  | 'overflow'
  | 'connect-failure'
  | 'connect-timeout'
  /** REFUSED_STREAM of HTTP/2, or GOAWAY before the stream was looked at. */
  | 'refused-stream'
  | 'remote-reset'
  /** The connection went away under the request. */
  | 'connection-termination'
  | 'protocol-error'
  | 'per-try-timeout'
  /** Route timeout: the request as a whole is over. */
  | 'global-timeout'
  | 'local-reset'

/** How an attempt ended, as far as a retry is concerned. */
export type AttemptOutcome =
  | {
      readonly kind: 'headers'
      readonly status: number
      /** `grpc-status` among the response headers (trailers-only response); null: none. */
      readonly grpcStatus: number | null
      /** `x-envoy-ratelimited` is present. */
      readonly isRateLimited: boolean
      /** A response header named by the policy's `retriableHeaders` is present. */
      readonly hasRetriableHeader: boolean
    }
  | {
      readonly kind: 'reset'
      readonly reason: ResetReason
      /** Whether a byte of the request was written upstream. */
      readonly isRequestSent: boolean
    }

/** What about the request itself forbids or limits retries. */
export interface RetryRequest {
  readonly method: string
  readonly hasIdempotencyKey: boolean
  /** The body outgrew what is kept for retries. */
  readonly isBodyTooLarge: boolean
  /** A byte of a response (an informational one counts) went downstream. */
  readonly isResponseStarted: boolean
}

/** What a request remembers between its attempts; {@link initialRetryState} at the start. */
export interface RetryState {
  readonly retriesLeft: number
  /** A retry of this request holds a slot of the cluster's retry breaker. */
  readonly holdsSlot: boolean
}

/** Why an attempt is made again: the condition that held, the first in Envoy's order. */
export type RetryReason = RetryCondition

/** Why not. */
export type NoRetryReason =
  /** No retry policy. */
  | 'disabled'
  /** The outcome is none that the policy retries: a success, or an error not listed. */
  | 'not-retriable'
  | 'response-started'
  | 'body-too-large'
  /** Retriable, but the method is not idempotent and the request may have been carried out. */
  | 'non-idempotent'
  | 'limit-exceeded'
  /** `maxRetries` or the retry budget of the cluster is used up. */
  | 'retry-overflow'
  /** The attempt was refused by our own breaker. */
  | 'overflow'
  | 'global-timeout'
  | 'rate-limited'

/** Envoy's cluster counters that a decision moves. */
export type RetryCounter =
  | 'upstream_rq_retry'
  | 'upstream_rq_retry_success'
  | 'upstream_rq_retry_limit_exceeded'
  | 'upstream_rq_retry_overflow'

/** What to do after an attempt. `slots` is to be added to the cluster's active retries: -1, 0 or 1. */
export interface RetryDecision {
  readonly isRetried: boolean
  readonly reason: RetryReason | NoRetryReason
  /** Response flag to add to the request: `URX` retries used up, `UO` refused by retry breaker or budget. */
  readonly flag: 'URX' | 'UO' | null
  readonly state: RetryState
  readonly slots: number
  readonly counters: readonly RetryCounter[]
  /** The condition that held although the attempt is not made again; null: none did. */
  readonly withheld: RetryCondition | null
}

/** The state of a request before its first attempt. */
export function initialRetryState(policy: RetryPolicy | null): RetryState {
  return { retriesLeft: policy?.numRetries ?? 0, holdsSlot: false }
}

/**
 * Decides after an attempt whether it is made again, as Envoy's `RetryStateImpl::shouldRetry` and the router around it.
 * `breaker.activeRetries` counts the cluster's retry slots in use, this request's own included; `breaker.limit` is
 * {@link retryLimit}. Ours, not Envoy's: the guard of methods that are not idempotent.
 */
export function shouldRetry(
  policy: RetryPolicy | null,
  state: RetryState,
  outcome: AttemptOutcome,
  request: RetryRequest,
  breaker: { readonly activeRetries: number; readonly limit: number },
): RetryDecision {
  const condition = policy === null ? null : retryCondition(policy, outcome)
  const released = state.holdsSlot ? -1 : 0
  const no = (
    reason: NoRetryReason,
    extra: { flag?: 'URX' | 'UO'; counters?: readonly RetryCounter[]; retriesLeft?: number } = {},
  ): RetryDecision => ({
    isRetried: false,
    reason,
    flag: extra.flag ?? null,
    state: { retriesLeft: extra.retriesLeft ?? state.retriesLeft, holdsSlot: false },
    slots: released,
    counters: extra.counters ?? [],
    withheld: condition,
  })
  if (policy === null) return no('disabled')
  if (request.isResponseStarted) return no('response-started')
  if (outcome.kind === 'reset' && outcome.reason === 'global-timeout') return no('global-timeout')
  // The router drops its retry state when the body outgrows the buffer, so nothing is counted as a success either.
  if (request.isBodyTooLarge) return no('body-too-large')
  if (condition === null) {
    const reason = refusalReason(policy, outcome)
    // A success is a later answer that the policy would not retry, a 404 too.
    return no(reason, { counters: state.holdsSlot ? ['upstream_rq_retry_success'] : [] })
  }
  if (!isSafeToRepeat(policy, outcome, request)) return no('non-idempotent')
  if (state.retriesLeft === 0) {
    return no('limit-exceeded', { flag: 'URX', counters: ['upstream_rq_retry_limit_exceeded'] })
  }
  const retriesLeft = state.retriesLeft - 1
  // The retry is spent even when the breaker refuses it.
  if (breaker.activeRetries + released >= breaker.limit) {
    return no('retry-overflow', { flag: 'UO', counters: ['upstream_rq_retry_overflow'], retriesLeft })
  }
  return {
    isRetried: true,
    reason: condition,
    flag: null,
    state: { retriesLeft, holdsSlot: true },
    slots: released + 1,
    counters: ['upstream_rq_retry'],
    withheld: null,
  }
}

/**
 * The first condition of the policy that the outcome meets, in Envoy's order (`wouldRetryFromHeaders`,
 * `wouldRetryFromReset`); null: none. Says nothing of limits.
 */
export function retryCondition(policy: RetryPolicy, outcome: AttemptOutcome): RetryCondition | null {
  const has = (condition: RetryCondition): boolean => policy.retryOn.has(condition)
  const test = outcome.kind === 'headers' ? headersTests(policy, outcome) : resetTests(outcome)
  for (const [condition, isMet] of test) if (isMet && has(condition)) return condition
  return null
}

type ConditionTest = readonly [condition: RetryCondition, isMet: boolean]

const GRPC_CONDITIONS: ReadonlyMap<number, RetryCondition> = new Map([
  [1, 'cancelled'],
  [4, 'deadline-exceeded'],
  [8, 'resource-exhausted'],
  [13, 'internal'],
  [14, 'unavailable'],
])

function headersTests(
  policy: RetryPolicy,
  outcome: Extract<AttemptOutcome, { kind: 'headers' }>,
): readonly ConditionTest[] {
  const { status } = outcome
  if (outcome.isRateLimited) return [['envoy-ratelimited', true]]
  const isGatewayError = status === 502 || status === 503 || status === 504
  const tests: ConditionTest[] = [
    ['5xx', status >= 500 && status <= 599],
    ['gateway-error', isGatewayError],
    ['retriable-4xx', status === 409],
    ['retriable-status-codes', policy.retriableStatusCodes.has(status)],
    ['retriable-headers', outcome.hasRetriableHeader],
  ]
  const grpc = outcome.grpcStatus === null ? undefined : GRPC_CONDITIONS.get(outcome.grpcStatus)
  if (grpc !== undefined) tests.push([grpc, true])
  return tests
}

function resetTests(outcome: Extract<AttemptOutcome, { kind: 'reset' }>): readonly ConditionTest[] {
  const { reason } = outcome
  if (reason === 'overflow' || reason === 'global-timeout') return []
  return [
    ['connect-failure', reason === 'connect-failure' || reason === 'connect-timeout'],
    ['reset-before-request', !outcome.isRequestSent],
    ['reset', true],
    ['5xx', true],
    ['gateway-error', true],
    ['refused-stream', reason === 'refused-stream'],
  ]
}

function refusalReason(policy: RetryPolicy, outcome: AttemptOutcome): NoRetryReason {
  if (outcome.kind === 'reset') return outcome.reason === 'overflow' ? 'overflow' : 'not-retriable'
  return outcome.isRateLimited && !policy.retryOn.has('envoy-ratelimited') ? 'rate-limited' : 'not-retriable'
}

const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

// RFC 9110 section 9.2.2: a client should not repeat other methods unless it knows that the first was never applied.
function isSafeToRepeat(policy: RetryPolicy, outcome: AttemptOutcome, request: RetryRequest): boolean {
  if (policy.retriesNonIdempotent || request.hasIdempotencyKey) return true
  if (IDEMPOTENT_METHODS.has(request.method)) return true
  if (outcome.kind === 'headers') return false
  return isNeverApplied(outcome.reason) || !outcome.isRequestSent
}

function isNeverApplied(reason: ResetReason): boolean {
  return reason === 'connect-failure' || reason === 'connect-timeout' || reason === 'refused-stream'
}
