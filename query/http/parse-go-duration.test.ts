import { expect, test } from 'vitest'
import { parseGoDuration } from './parse-go-duration.ts'

test.each([
  ['0', 0n],
  ['0s', 0n],
  ['1ns', 1n],
  ['250us', 250_000n],
  ['250µs', 250_000n],
  ['250μs', 250_000n],
  ['1.5ms', 1_500_000n],
  ['1.s', 1_000_000_000n],
  ['.5s', 500_000_000n],
  ['1h30m', 5_400_000_000_000n],
  ['1m0.000000001s', 60_000_000_001n],
  ['0.9ns', 0n],
])('%s is %s ns', (text, nanos) => {
  expect(parseGoDuration(text)).toBe(nanos)
})

test.each(['', '1', 's', '.s', '1d', '-1s', '1s ', ' 1s', '1s2', '9999999999h', '1 s'])(
  '%j is none',
  (text) => {
    expect(parseGoDuration(text)).toBeNull()
  },
)
