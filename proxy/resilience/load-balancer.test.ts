import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BalancedEndpoint,
  type BalancerRules,
  type BalancerState,
  initialBalancerState,
  isPanicking,
  MAX_RESELECTIONS,
  pickEndpoint,
} from './load-balancer.ts'

const NONE: ReadonlySet<string> = new Set()

function rules(kind: BalancerRules['kind'], panicThresholdPercent = 0): BalancerRules {
  return { kind, panicThresholdPercent }
}

function endpoint(address: string, fields: Partial<BalancedEndpoint> = {}): BalancedEndpoint {
  return { address, weight: 1, isHealthy: true, activeRequests: 0, ...fields }
}

/** Dice that show the numbers one after the other. */
function dice(...numbers: number[]): () => number {
  return () => {
    const next = numbers.shift()
    if (next === undefined) throw new Error('no more dice expected')
    return next
  }
}

function picks(
  kind: BalancerRules['kind'],
  endpoints: readonly BalancedEndpoint[],
  count: number,
  random: () => number = () => 0,
): string[] {
  let state = initialBalancerState(0)
  return Array.from({ length: count }, () => {
    const pick = pickEndpoint(rules(kind), endpoints, state, NONE, random)
    state = pick.state
    return pick.endpoint?.address ?? ''
  })
}

describe('pickEndpoint', () => {
  test('round robin takes turns', () => {
    const three = ['a', 'b', 'c'].map((address) => endpoint(address))
    expect(picks('round-robin', three, 7).join('')).toBe('abcabca')
  })

  test('weighted round robin gives each its share, spread out', () => {
    const weighted = [
      endpoint('a', { weight: 5 }),
      endpoint('b', { weight: 1 }),
      endpoint('c', { weight: 1 }),
    ]
    const sequence = picks('round-robin', weighted, 70)
    expect(sequence.filter((address) => address === 'a')).toHaveLength(50)
    expect(sequence.filter((address) => address === 'b')).toHaveLength(10)
    // Its weight in a row, one more where two deadlines are equal but for rounding.
    expect(sequence.join('')).not.toContain('aaaaaaa')
  })

  test('weighted round robin gives an endpoint that comes back no arrears', () => {
    const a = endpoint('a', { weight: 2 })
    const b = endpoint('b')
    let state: BalancerState = initialBalancerState(0)
    const pick = (endpoints: BalancedEndpoint[]): string => {
      const result = pickEndpoint(rules('round-robin'), endpoints, state, NONE, () => 0)
      state = result.state
      return result.endpoint?.address ?? ''
    }
    const weightedWithout = [a, { ...b, isHealthy: false }, endpoint('c')]
    for (let i = 0; i < 30; i += 1) pick(weightedWithout)
    const after = Array.from({ length: 12 }, () => pick([a, b, endpoint('c')]))
    expect(after.filter((address) => address === 'b').length).toBeLessThanOrEqual(4)
  })

  test.each([
    // LeastRequestLoadBalancer::unweightedHostPick: two choices, the second wins only with fewer active requests.
    [0.1, 0.5, 3, 1, 'b'],
    [0.1, 0.5, 1, 3, 'a'],
    [0.1, 0.5, 2, 2, 'a'],
    [0.5, 0.1, 2, 2, 'b'],
    [0.1, 0.1, 9, 0, 'a'],
  ])('least request: dice %d and %d, active %d and %d → %s', (first, second, activeA, activeB, chosen) => {
    const two = [endpoint('a', { activeRequests: activeA }), endpoint('b', { activeRequests: activeB })]
    const pick = pickEndpoint(rules('least-request'), two, initialBalancerState(0), NONE, dice(first, second))
    expect(pick.endpoint?.address).toBe(chosen)
  })

  test('least request with unequal weights divides the weight by active requests + 1', () => {
    const busy = [
      endpoint('a', { weight: 2, activeRequests: 3 }),
      endpoint('b', { weight: 1, activeRequests: 0 }),
    ]
    // a counts 2/4, b counts 1.
    const sequence = picks('least-request', busy, 30)
    expect(sequence.filter((address) => address === 'b')).toHaveLength(20)
  })

  test('random is uniform', () => {
    const four = ['a', 'b', 'c', 'd'].map((address) => endpoint(address))
    expect(picks('random', four, 4, dice(0, 0.26, 0.51, 0.99)).join('')).toBe('abcd')
  })

  test('leaves the ejected out, and nobody is nobody', () => {
    const one = [endpoint('a', { isHealthy: false }), endpoint('b')]
    expect(picks('round-robin', one, 3).join('')).toBe('bbb')
    const none = [endpoint('a', { isHealthy: false })]
    const pick = pickEndpoint(rules('random'), none, initialBalancerState(0), NONE, dice())
    expect(pick).toMatchObject({ endpoint: null, isPanic: false })
    expect(pickEndpoint(rules('random', 50), [], initialBalancerState(0), NONE, dice()).endpoint).toBeNull()
  })

  test('in panic takes all', () => {
    const endpoints = [
      endpoint('a'),
      ...['b', 'c', 'd'].map((address) => endpoint(address, { isHealthy: false })),
    ]
    let state = initialBalancerState(0)
    const seen = new Set<string>()
    for (let i = 0; i < 4; i += 1) {
      const pick = pickEndpoint(rules('round-robin', 30), endpoints, state, NONE, dice())
      expect(pick.isPanic).toBe(true)
      seen.add(pick.endpoint?.address ?? '')
      state = pick.state
    }
    expect(seen).toEqual(new Set(['a', 'b', 'c', 'd']))
  })

  test('chooses again, up to five times, when the endpoint was tried', () => {
    const two = [endpoint('a'), endpoint('b')]
    const again = pickEndpoint(rules('random'), two, initialBalancerState(0), new Set(['a']), dice(0, 0, 0.9))
    expect(again).toMatchObject({ endpoint: { address: 'b' }, reselections: 2 })
    const last = pickEndpoint(
      rules('random'),
      two,
      initialBalancerState(0),
      new Set(['a']),
      dice(0, 0, 0, 0, 0, 0),
    )
    expect(last).toMatchObject({ endpoint: { address: 'a' }, reselections: MAX_RESELECTIONS })
  })

  test('never chooses an unhealthy endpoint outside panic', () => {
    const endpoints = fc.array(
      fc.record({
        weight: fc.integer({ min: 1, max: 4 }),
        isHealthy: fc.boolean(),
        activeRequests: fc.nat(5),
      }),
      { maxLength: 8 },
    )
    const kinds = fc.constantFrom<BalancerRules['kind']>('random', 'round-robin', 'least-request')
    fc.assert(
      fc.property(
        endpoints,
        kinds,
        fc.nat(100),
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 20 }),
        (list, kind, threshold, numbers) => {
          const all = list.map((fields, index) => endpoint(String(index), fields))
          let at = 0
          const pick = pickEndpoint(
            rules(kind, threshold),
            all,
            initialBalancerState(3),
            NONE,
            () => numbers[at++ % numbers.length] ?? 0,
          )
          const hasHealthy = all.some((candidate) => candidate.isHealthy)
          if (!pick.isPanic) expect(pick.endpoint?.isHealthy ?? !hasHealthy).toBe(true)
          if (hasHealthy) expect(pick.endpoint).not.toBeNull()
        },
      ),
    )
  })
})

describe('isPanicking', () => {
  test.each([
    // recalculatePerPriorityPanic: never with a normalized availability of 100 %, so from 5/7 healthy on.
    [10, 10, 100, false],
    [8, 10, 90, false],
    [7, 10, 90, true],
    [7, 10, 70, false],
    [7, 10, 71, true],
    [1, 2, 50, false],
    [1, 2, 51, true],
    [0, 3, 1, true],
    [0, 3, 0, false],
    [0, 0, 50, false],
  ])('%d of %d healthy with threshold %d: %s', (healthy, total, threshold, panic) => {
    expect(isPanicking(healthy, total, threshold)).toBe(panic)
  })
})
