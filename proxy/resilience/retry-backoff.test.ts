import { describe, expect, test } from 'vitest'
import { rateLimitedBackoff, retryBackoff } from './retry-backoff.ts'
import { retryLimit } from './retry-budget.ts'

const ISTIO = { baseIntervalMs: 25, maxIntervalMs: 250 }

describe('retryBackoff', () => {
  test.each([
    [1, 24],
    [2, 49],
    [3, 99],
    [4, 199],
    [5, 249],
    [40, 249],
  ])('before retry %d waits 0 to %d ms', (number, longest) => {
    expect(retryBackoff(ISTIO, number, 0)).toBe(0)
    expect(retryBackoff(ISTIO, number, 0.999999)).toBe(longest)
  })

  test('is uniform over the interval', () => {
    expect(retryBackoff({ baseIntervalMs: 1000, maxIntervalMs: 10_000 }, 3, 0.25)).toBe(1000)
  })
})

describe('rateLimitedBackoff', () => {
  test.each([
    ['2', 0, 2000],
    ['2', 0.999999, 2999],
    ['300', 0, 300_000],
    ['301', 0, null],
    ['0', 0, null],
    ['soon', 0, null],
    ['1.5', 0, null],
    ['-1', 0, null],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 0, null],
    [undefined, 0, null],
  ])('Retry-After %j with dice %d: %j ms', (header, random, ms) => {
    expect(rateLimitedBackoff(header, random)).toBe(ms)
  })
})

describe('retryLimit', () => {
  const load = (activeRequests: number, pendingRequests: number) => ({ activeRequests, pendingRequests })

  test.each([
    // RetryBudgetImpl: max(min_retry_concurrency, budget_percent of active + pending), rounded down.
    [{ percent: 20, minRetries: 3 }, load(0, 0), 3],
    [{ percent: 20, minRetries: 3 }, load(15, 4), 3],
    [{ percent: 20, minRetries: 3 }, load(15, 5), 4],
    [{ percent: 20, minRetries: 3 }, load(100, 4), 20],
    [{ percent: 0, minRetries: 0 }, load(100, 0), 0],
  ])('budget %j under load %j allows %d', (budget, at, limit) => {
    expect(retryLimit({ maxRetries: 1 }, budget, at)).toBe(limit)
  })

  test('without a budget it is maxRetries', () => {
    expect(retryLimit({ maxRetries: 7 }, null, load(1000, 0))).toBe(7)
  })
})
