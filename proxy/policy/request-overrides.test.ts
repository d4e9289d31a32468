import { describe, expect, test } from 'vitest'
import { applyRequestOverrides, type Overridable } from './request-overrides.ts'
import { DEFAULT_RETRY_POLICY, resolveRetries } from './retry-policy.ts'

const ROUTE: Overridable = {
  retry: resolveRetries(
    { attempts: 3, retryOn: 'gateway-error,418', perTryTimeout: 500 },
    { retriesNonIdempotent: false },
  ),
  timeoutMs: 2000,
}

function apply(headers: Record<string, string>, route = ROUTE): Overridable {
  return applyRequestOverrides(route, (name) => headers[name])
}

describe('applyRequestOverrides', () => {
  test('leaves a route alone without headers', () => {
    expect(apply({ accept: '*/*' })).toBe(ROUTE)
  })

  test('adds conditions, codes and names, replaces numbers', () => {
    const { retry, timeoutMs } = apply({
      'x-envoy-retry-on': 'reset, 5xx,nonsense',
      'x-envoy-retry-grpc-on': 'unavailable',
      'x-envoy-max-retries': '7',
      'x-envoy-retriable-status-codes': '429, x',
      'x-envoy-retriable-header-names': 'X-Again',
      'x-envoy-upstream-rq-timeout-ms': '9000',
      'x-envoy-upstream-rq-per-try-timeout-ms': '100',
    })
    expect(timeoutMs).toBe(9000)
    expect(retry).toMatchObject({ numRetries: 7, perTryTimeoutMs: 100, retriableHeaders: ['x-again'] })
    expect([...(retry?.retryOn ?? [])]).toEqual([
      'gateway-error',
      'retriable-status-codes',
      'reset',
      '5xx',
      'unavailable',
    ])
    expect([...(retry?.retriableStatusCodes ?? [])]).toEqual([418, 429])
  })

  test.each([
    ['asks for retries where the route has none: one', { 'x-envoy-retry-on': '5xx' }, 1],
    ['and as many as it says', { 'x-envoy-retry-on': '5xx', 'x-envoy-max-retries': '4' }, 4],
    ['a number alone asks for nothing', { 'x-envoy-max-retries': '4' }, null],
    ['nor does an unknown condition', { 'x-envoy-retry-on': 'sometimes' }, null],
  ])('%s', (_, headers, numRetries) => {
    const { retry } = apply(headers, { retry: null, timeoutMs: 0 })
    expect(retry?.numRetries ?? null).toBe(numRetries)
  })

  test.each(['-1', '1.5', 'many', '', '99999999999'])('ignores the number %j', (text) => {
    const headers = { 'x-envoy-max-retries': text, 'x-envoy-upstream-rq-timeout-ms': text }
    const result = apply(headers, { retry: DEFAULT_RETRY_POLICY, timeoutMs: 5 })
    expect(result).toEqual({ retry: DEFAULT_RETRY_POLICY, timeoutMs: 5 })
  })

  test('0 retries are none, 0 ms is no limit', () => {
    const headers = { 'x-envoy-max-retries': '0', 'x-envoy-upstream-rq-timeout-ms': '0' }
    expect(apply(headers)).toEqual({ retry: null, timeoutMs: 0 })
  })
})
