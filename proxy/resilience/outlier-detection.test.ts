import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OutlierPolicy } from '../policy/proxy-policy.ts'
import { trafficSettings } from '../policy/traffic-policy.ts'
import {
  ejectManually,
  type OutlierStep,
  recordResult,
  returnManually,
  sweepEndpoint,
} from './outlier-detection.ts'
import { type EndpointOutlierState, MAX_EVIDENCE, NEW_ENDPOINT, type OutlierEvent } from './outlier-state.ts'
import { createNaiveModel, type HistoryStep } from './testdata/naive-outlier-model.ts'

const never = (): number => {
  throw new Error('no dice expected')
}

function istioPolicy(fields: Parameters<typeof trafficSettings>[0]['outlierDetection'] = {}): OutlierPolicy {
  const { outlier } = trafficSettings({ outlierDetection: fields })
  if (outlier === null) throw new Error('outlier detection is off')
  return outlier
}

const response = (status: number, traceId = ''): OutlierEvent => ({ kind: 'response', status, traceId })

/** Charges events one after the other, a second apart; `others` is the number of endpoints beside. */
function charge(
  policy: OutlierPolicy,
  events: readonly OutlierEvent[],
  {
    others = 9,
    ejected = 0,
    state = NEW_ENDPOINT,
  }: { others?: number; ejected?: number; state?: EndpointOutlierState } = {},
): OutlierStep {
  const transitions: OutlierStep['transitions'][number][] = []
  events.forEach((event, index) => {
    const cluster = { endpoints: others + 1, ejected }
    const step = recordResult(policy, state, cluster, event, index * 1000, () => 0)
    state = step.state
    transitions.push(...step.transitions)
  })
  return { state, transitions }
}

const times = (count: number, event: OutlierEvent): OutlierEvent[] =>
  Array.from({ length: count }, () => event)

describe('a run of failures', () => {
  test('ejects at the fifth 5xx by default, with the evidence', () => {
    const { state, transitions } = charge(
      istioPolicy(),
      ['a', 'b', 'c', 'd', 'e'].map((traceId) => response(500, traceId)),
    )
    expect(transitions).toMatchObject([
      { kind: 'ejected', type: 'consecutive_5xx', ejectionMs: 30_000, untilMs: 34_000, ejections: 1 },
    ])
    expect(state.ejection?.evidence.map((entry) => [entry.status, entry.traceId])).toEqual([
      [500, 'a'],
      [500, 'b'],
      [500, 'c'],
      [500, 'd'],
      [500, 'e'],
    ])
  })

  test('is broken by any answer below 500', () => {
    const events = [...times(4, response(503)), response(404), ...times(4, response(503))]
    const { state, transitions } = charge(istioPolicy(), events)
    expect(transitions).toEqual([])
    expect(state.consecutive5xx).toBe(4)
    expect(state.failures).toHaveLength(4)
  })

  test('of gateway errors is broken by another 5xx too', () => {
    const policy = istioPolicy({ consecutiveGatewayErrors: 3, consecutive5xxErrors: 0 })
    const events = [...times(2, response(502)), response(500), ...times(2, response(504))]
    expect(charge(policy, events).transitions).toEqual([])
    expect(charge(policy, [...events, response(503)]).transitions).toMatchObject([
      { kind: 'ejected', type: 'consecutive_gateway_failure' },
    ])
  })

  test('counts a timeout as 504 and a reset as 503 where nothing is split', () => {
    const events: OutlierEvent[] = [
      { kind: 'local-failure', cause: 'timeout', traceId: 't' },
      { kind: 'local-failure', cause: 'reset', traceId: 'r' },
      { kind: 'local-failure', cause: 'connect-failure', traceId: 'c' },
    ]
    const { transitions } = charge(istioPolicy({ consecutive5xxErrors: 3 }), events)
    expect(transitions).toMatchObject([
      {
        type: 'consecutive_5xx',
        evidence: [
          { status: 504, localOrigin: 'timeout' },
          { status: 503, localOrigin: 'reset' },
          { status: 503, localOrigin: 'connect-failure' },
        ],
      },
    ])
  })

  test('of local failures stands apart where split, and a connection ends it', () => {
    const policy = istioPolicy({ consecutive5xxErrors: 3, splitExternalLocalOriginErrors: true })
    const local: OutlierEvent = { kind: 'local-failure', cause: 'connect-failure', traceId: '' }
    expect(charge(policy, times(4, local)).transitions).toEqual([])
    expect(
      charge(policy, [...times(4, local), { kind: 'connected' }, ...times(4, local)]).transitions,
    ).toEqual([])
    expect(charge(policy, times(5, local)).transitions).toMatchObject([
      { kind: 'ejected', type: 'consecutive_local_origin_failure' },
    ])
  })

  test('keeps the last failures only', () => {
    const policy = istioPolicy({ consecutive5xxErrors: 30 })
    const events = Array.from({ length: 30 }, (_, index) => response(500, String(index)))
    const { state } = charge(policy, events)
    expect(state.failures.map((entry) => entry.traceId)).toEqual(
      Array.from({ length: MAX_EVIDENCE }, (_, index) => String(20 + index)),
    )
  })

  test('costs a good endpoint nothing: the state stays the same object', () => {
    const step = recordResult(
      istioPolicy(),
      NEW_ENDPOINT,
      { endpoints: 3, ejected: 0 },
      response(200),
      0,
      never,
    )
    expect(step.state).toBe(NEW_ENDPOINT)
  })
})

describe('maxEjectionPercent', () => {
  test.each([
    // ejectHost: 100 × (active + 1) / hosts must not be above it; there is no exception for the first host.
    [10, 9, 0, 'overflow'],
    [10, 10, 0, 'ejected'],
    [10, 19, 1, 'overflow'],
    [10, 20, 1, 'ejected'],
    [20, 4, 0, 'overflow'],
    [20, 5, 0, 'ejected'],
    [50, 3, 0, 'ejected'],
    [50, 3, 1, 'overflow'],
    [100, 1, 0, 'ejected'],
    [0, 100, 0, 'overflow'],
  ])('%d percent of %d endpoints, %d out: %s', (maxEjectionPercent, endpoints, ejected, kind) => {
    const policy = istioPolicy({ maxEjectionPercent, consecutive5xxErrors: 1 })
    const { state, transitions } = charge(policy, [response(500)], { others: endpoints - 1, ejected })
    expect(transitions.map((transition) => transition.kind)).toEqual([kind])
    expect(state.ejection !== null).toBe(kind === 'ejected')
    // The run has been dealt with either way.
    expect(state.consecutive5xx).toBe(0)
  })
})

describe('the time out', () => {
  const policy = istioPolicy({ consecutive5xxErrors: 1, baseEjectionTime: 60_000, maxEjectionPercent: 100 })

  test('grows with each ejection and stops at 300 s', () => {
    let state = NEW_ENDPOINT
    let now = 0
    const lengths: number[] = []
    for (let round = 0; round < 8; round += 1) {
      const { state: out } = recordResult(
        policy,
        state,
        { endpoints: 1, ejected: 0 },
        response(500),
        now,
        () => 0,
      )
      const until = out.ejection?.untilMs ?? 0
      lengths.push(until - now)
      expect(sweepEndpoint(policy, out, until - 1).state).toBe(out)
      const back = sweepEndpoint(policy, out, until)
      expect(back.transitions).toMatchObject([{ kind: 'returned', cause: 'served', ejectedMs: until - now }])
      state = back.state
      now = until
    }
    expect(lengths).toEqual([60, 120, 180, 240, 300, 300, 300, 300].map((seconds) => seconds * 1000))
  })

  test('is forgiven step by step, from one interval after the return on', () => {
    let state: EndpointOutlierState = { ...NEW_ENDPOINT, backoff: 3, lastReturnMs: 1000 }
    state = sweepEndpoint(policy, state, 10_999).state
    expect(state.backoff).toBe(3)
    state = sweepEndpoint(policy, state, 11_000).state
    expect(state.backoff).toBe(2)
    for (let sweep = 0; sweep < 5; sweep += 1) state = sweepEndpoint(policy, state, 21_000).state
    expect(state.backoff).toBe(0)
  })

  test('with a base above 300 s does not grow', () => {
    const long = istioPolicy({ consecutive5xxErrors: 1, baseEjectionTime: 400_000, maxEjectionPercent: 100 })
    const out = charge(long, [response(500)], { state: { ...NEW_ENDPOINT, backoff: 1 } })
    expect(out.transitions).toMatchObject([{ ejectionMs: 400_000 }])
  })
})

describe('by hand', () => {
  test('an endpoint goes out whatever the percentage, and no sweep brings it back', () => {
    const policy = istioPolicy()
    const out = ejectManually(NEW_ENDPOINT, 5)
    expect(out.transitions).toMatchObject([{ kind: 'ejected', type: 'manual', untilMs: Infinity }])
    expect(sweepEndpoint(policy, out.state, 1e12).state).toBe(out.state)
    const back = returnManually(out.state, 65)
    expect(back.transitions).toMatchObject([
      { kind: 'returned', cause: 'manual', type: 'manual', ejectedMs: 60 },
    ])
    expect(back.state).toMatchObject({ ejection: null, consecutive5xx: 0, lastReturnMs: 65 })
  })

  test('an endpoint that is in cannot return', () => {
    expect(returnManually(NEW_ENDPOINT, 1)).toEqual({ state: NEW_ENDPOINT, transitions: [] })
  })
})

const policies: fc.Arbitrary<OutlierPolicy> = fc.record({
  consecutive5xx: fc.nat(4),
  enforcing5xx: fc.constantFrom(0, 50, 100),
  consecutiveGateway: fc.nat(4),
  enforcingGateway: fc.constantFrom(0, 50, 100),
  consecutiveLocalOrigin: fc.nat(3),
  enforcingLocalOrigin: fc.constantFrom(0, 100),
  splitsLocalOrigin: fc.boolean(),
  intervalMs: fc.constantFrom(10, 50),
  baseEjectionMs: fc.integer({ min: 1, max: 60 }),
  maxEjectionMs: fc.integer({ min: 60, max: 200 }),
  maxEjectionJitterMs: fc.constantFrom(0, 7),
  maxEjectionPercent: fc.constantFrom(0, 20, 34, 50, 100),
})

function steps(hosts: number): fc.Arbitrary<HistoryStep[]> {
  const base = { afterMs: fc.nat(20), die: fc.constantFrom(0, 0.3, 0.7, 0.99) }
  const host = fc.nat(hosts - 1)
  return fc.array(
    fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          ...base,
          kind: fc.constant('response' as const),
          host,
          status: fc.constantFrom(200, 404, 500, 500, 502, 503, 504),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          ...base,
          kind: fc.constant('local' as const),
          host,
          cause: fc.constantFrom('timeout' as const, 'connect-failure' as const, 'reset' as const),
        }),
      },
      { weight: 1, arbitrary: fc.record({ ...base, kind: fc.constant('connected' as const), host }) },
      { weight: 4, arbitrary: fc.record({ ...base, kind: fc.constant('sweep' as const) }) },
      { weight: 1, arbitrary: fc.record({ ...base, kind: fc.constant('manual-eject' as const), host }) },
      { weight: 1, arbitrary: fc.record({ ...base, kind: fc.constant('manual-return' as const), host }) },
    ),
    { minLength: 20, maxLength: 150 },
  )
}

/** Runs the real functions over a history, in the form of the model's answers. */
function createReal(policy: OutlierPolicy, hosts: number) {
  const states: EndpointOutlierState[] = Array.from({ length: hosts }, () => NEW_ENDPOINT)
  let now = 0
  return (step: HistoryStep) => {
    now += step.afterMs
    const told: string[] = []
    const take = (host: number, result: OutlierStep): void => {
      states[host] = result.state
      told.push(...result.transitions.map((transition) => `${transition.kind} ${transition.type} ${host}`))
    }
    if (step.kind === 'sweep') {
      for (const [host, state] of states.entries()) take(host, sweepEndpoint(policy, state, now))
    } else {
      const state = states[step.host] ?? NEW_ENDPOINT
      if (step.kind === 'manual-eject') take(step.host, ejectManually(state, now))
      else if (step.kind === 'manual-return') take(step.host, returnManually(state, now))
      else {
        const cluster = {
          endpoints: hosts,
          ejected: states.filter((other) => other.ejection !== null).length,
        }
        take(
          step.host,
          recordResult(policy, state, cluster, eventOf(step), now, () => step.die),
        )
      }
    }
    return {
      ejected: states.map((state) => state.ejection !== null),
      untilMs: states.map((state) => state.ejection?.untilMs ?? null),
      told,
    }
  }
}

function eventOf(step: Extract<HistoryStep, { kind: 'response' | 'local' | 'connected' }>): OutlierEvent {
  if (step.kind === 'response') return response(step.status)
  return step.kind === 'local'
    ? { kind: 'local-failure', cause: step.cause, traceId: '' }
    : { kind: 'connected' }
}

describe('over random histories', () => {
  const histories = fc
    .integer({ min: 1, max: 6 })
    .chain((hosts) => fc.tuple(fc.constant(hosts), policies, steps(hosts)))

  test('does what the independent model says', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(histories, ([hosts, policy, history]) => {
        const real = createReal(policy, hosts)
        const model = createNaiveModel(policy, hosts)
        for (const step of history) {
          const answer = real(step)
          expect(answer).toEqual(model(step))
          for (const told of answer.told) {
            const kind = told.replace(/ \d+$/, '')
            seen.set(kind, (seen.get(kind) ?? 0) + 1)
          }
        }
      }),
      { numRuns: 1500 },
    )
    // The histories must reach what they are to judge.
    for (const type of [
      'consecutive_5xx',
      'consecutive_gateway_failure',
      'consecutive_local_origin_failure',
    ]) {
      for (const kind of ['ejected', 'overflow', 'unenforced', 'returned']) {
        expect(seen.get(`${kind} ${type}`) ?? 0, `${kind} ${type}`).toBeGreaterThan(5)
      }
    }
  })

  test('and the comparison sees a policy that is off by one', () => {
    const isSame = fc.check(
      fc.property(histories, ([hosts, policy, history]) => {
        const real = createReal({ ...policy, consecutive5xx: policy.consecutive5xx + 1 }, hosts)
        const model = createNaiveModel(policy, hosts)
        return history.every((step) => JSON.stringify(real(step)) === JSON.stringify(model(step)))
      }),
      { numRuns: 200 },
    )
    expect(isSame.failed).toBe(true)
  })

  test('never ejects more than the percentage allows, but by hand', () => {
    fc.assert(
      fc.property(histories, ([hosts, policy, history]) => {
        const real = createReal(policy, hosts)
        let byHand = 0
        for (const step of history) {
          if (step.kind === 'manual-eject') byHand += 1
          const out = real(step).ejected.filter((isOut) => isOut).length
          expect(out - byHand).toBeLessThanOrEqual((policy.maxEjectionPercent * hosts) / 100)
        }
      }),
      { numRuns: 300 },
    )
  })
})
