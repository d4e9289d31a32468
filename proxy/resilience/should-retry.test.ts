import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { RetryPolicy } from '../policy/proxy-policy.ts'
import { resolveRetries } from '../policy/retry-policy.ts'
import { type AttemptOutcome, initialRetryState, type ResetReason, shouldRetry } from './should-retry.ts'

interface Scenario {
  rule: string
  policy: { retryOn: string; nonIdempotent?: boolean } | null
  outcome: {
    status?: number
    grpc?: number
    ratelimited?: boolean
    retriableHeader?: boolean
    reset?: ResetReason
    sent?: boolean
  }
  request?: { method?: string; key?: boolean; tooLarge?: boolean; started?: boolean }
  state?: { left: number; holds: boolean }
  breaker?: { active: number; limit: number }
  retried?: string
  refused?: string
  flag?: string
  withheld?: string
  left?: number
  slots?: number
  counters?: string[]
}

const scenarios: Scenario[] = parse(
  readFileSync(join(import.meta.dirname, 'testdata/retry-scenarios.yaml'), 'utf8'),
)

function policyOf(scenario: Scenario): RetryPolicy | null {
  if (scenario.policy === null) return null
  const { retryOn, nonIdempotent = false } = scenario.policy
  return resolveRetries({ attempts: 2, retryOn }, { retriesNonIdempotent: nonIdempotent })
}

function outcomeOf({ outcome }: Scenario): AttemptOutcome {
  if (outcome.reset !== undefined) {
    return { kind: 'reset', reason: outcome.reset, isRequestSent: outcome.sent ?? true }
  }
  return {
    kind: 'headers',
    status: outcome.status ?? 0,
    grpcStatus: outcome.grpc ?? null,
    isRateLimited: outcome.ratelimited ?? false,
    hasRetriableHeader: outcome.retriableHeader ?? false,
  }
}

function decide(scenario: Scenario) {
  const policy = policyOf(scenario)
  const { state, request = {}, breaker } = scenario
  return shouldRetry(
    policy,
    state === undefined ? initialRetryState(policy) : { retriesLeft: state.left, holdsSlot: state.holds },
    outcomeOf(scenario),
    {
      method: request.method ?? 'GET',
      hasIdempotencyKey: request.key ?? false,
      isBodyTooLarge: request.tooLarge ?? false,
      isResponseStarted: request.started ?? false,
    },
    { activeRetries: breaker?.active ?? 0, limit: breaker?.limit ?? 100 },
  )
}

describe('shouldRetry', () => {
  test('has a scenario for every reason', () => {
    expect(scenarios.length).toBeGreaterThan(50)
  })

  test.each(scenarios.map((scenario, index) => ({ ...scenario, index })))('$index: $rule', (scenario) => {
    const decision = decide(scenario)
    expect(decision.reason).toBe(scenario.retried ?? scenario.refused)
    expect(decision.isRetried).toBe(scenario.retried !== undefined)
    expect(decision.state.holdsSlot).toBe(decision.isRetried)
    expect(decision.flag).toBe(scenario.flag ?? null)
    if (scenario.withheld !== undefined) expect(decision.withheld).toBe(scenario.withheld)
    if (scenario.left !== undefined) expect(decision.state.retriesLeft).toBe(scenario.left)
    if (scenario.slots !== undefined) expect(decision.slots).toBe(scenario.slots)
    if (scenario.counters !== undefined) expect(decision.counters).toEqual(scenario.counters)
  })

  test('slots taken and released by a request add up to none', () => {
    const policy = resolveRetries({ attempts: 3, retryOn: '5xx' }, { retriesNonIdempotent: false })
    const request = {
      method: 'GET',
      hasIdempotencyKey: false,
      isBodyTooLarge: false,
      isResponseStarted: false,
    }
    let state = initialRetryState(policy)
    let active = 0
    let attempts = 0
    for (let goesOn = true; goesOn; ) {
      attempts += 1
      const outcome: AttemptOutcome = {
        kind: 'headers',
        status: 503,
        grpcStatus: null,
        isRateLimited: false,
        hasRetriableHeader: false,
      }
      const decision = shouldRetry(policy, state, outcome, request, { activeRetries: active, limit: 1 })
      state = decision.state
      active += decision.slots
      expect(active).toBe(decision.isRetried ? 1 : 0)
      goesOn = decision.isRetried
    }
    expect(attempts).toBe(4)
  })
})
