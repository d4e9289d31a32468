import { expect, test } from 'vitest'
import { decideFault } from './fault-injection.ts'
import { expectedTimeout, remainingTimeout, resolveTimeouts } from './timeouts.ts'

const BOTH = {
  delay: { percent: 10, delayMs: 5000 },
  abort: { percent: 50, status: 500, grpcStatus: null },
}

test.each([
  // FaultFilter::decodeHeaders: the delay is diced, then the abort, each with its own dice.
  [0.05, 0.4, 5000, 500],
  [0.05, 0.5, 5000, null],
  [0.1, 0.4, 0, 500],
  [0.99, 0.99, 0, null],
])('dice %d and %d: delay %d, abort %s', (first, second, delayMs, status) => {
  const dice = [first, second]
  const decision = decideFault(BOTH, () => dice.shift() ?? Number.NaN)
  expect(decision.delayMs).toBe(delayMs)
  expect(decision.abort?.status ?? null).toBe(status)
})

test('percentages of 0 and 100 leave nothing to chance', () => {
  const at = (percent: number) => ({ delay: null, abort: { percent, status: 418, grpcStatus: null } })
  expect(decideFault(at(0), () => 0).abort).toBeNull()
  expect(decideFault(at(100), () => 0.999999).abort).toEqual({ status: 418, grpcStatus: null })
  expect(decideFault(null, () => 0)).toEqual({ delayMs: 0, abort: null })
})

test.each([
  // Router FilterUtility::finalTimeout: a per-try timeout that is not shorter than the global one is ignored.
  [5000, 1000, 1000],
  [5000, 5000, 0],
  [5000, 6000, 0],
  [0, 6000, 6000],
])('request %d ms, per try %d ms: per try counts as %d', (requestMs, perTryMs, effective) => {
  expect(resolveTimeouts(requestMs, perTryMs)).toEqual({ requestMs, perTryMs: effective })
})

test.each([
  [5000, 1000, 0, 1000],
  [5000, 1000, 4500, 500],
  [5000, 0, 1000.5, 3999],
  [5000, 0, 9000, 1],
  [0, 250, 9000, 250],
  [0, 0, 9000, null],
])(
  'of %d ms and %d ms per try after %d ms the upstream may expect %s',
  (requestMs, perTryMs, elapsed, expected) => {
    expect(expectedTimeout(resolveTimeouts(requestMs, perTryMs), elapsed)).toBe(expected)
  },
)

test('what is left never goes below 0', () => {
  expect(remainingTimeout({ requestMs: 100, perTryMs: 0 }, 101)).toBe(0)
  expect(remainingTimeout({ requestMs: 0, perTryMs: 10 }, 101)).toBeNull()
})
