import { describe, expect, test } from 'vitest'
import { parseJsonInteger } from './json-integer.ts'

describe('an integer written as a JSON number', () => {
  test.each([
    ['0', 0n],
    ['-0', 0n],
    ['007', 7n],
    ['18446744073709551615', 18446744073709551615n],
    ['-9223372036854775808', -9223372036854775808n],
    ['1.50e1', 15n],
    ['1500E-2', 15n],
    ['0.000e999999', 0n],
  ])('%s is %s', (text, value) => {
    expect(parseJsonInteger(text)).toBe(value)
  })

  test.each(['', '-', '1.5', '1e-1', '0x10', ' 1', '1e999999', '1e9999999', '1'.repeat(41), 'NaN'])(
    '%j is none that counts',
    (text) => {
      expect(parseJsonInteger(text)).toBeUndefined()
    },
  )
})
