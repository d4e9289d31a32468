import { expect, test } from 'vitest'
import { seededRandom } from '../../test/support/seeded-random.ts'
import { formatFloat } from './format-float.ts'
import { LONGEST_FLOAT, writeFloat, writeInteger } from './write-float.ts'

const bytes = Buffer.alloc(2 * LONGEST_FLOAT)

function written(value: number): string {
  bytes.fill(0x23)
  const end = writeFloat(bytes, 3, value)
  expect(bytes.toString('latin1', end)).toMatch(/^#+$/)
  expect(end - 3).toBeLessThanOrEqual(LONGEST_FLOAT)
  return bytes.toString('latin1', 3, end)
}

test.each([
  0,
  -0,
  1,
  -1,
  9,
  10,
  99,
  100,
  0.1,
  0.5,
  -0.25,
  0.125,
  0.0625,
  0.3,
  0.1 + 0.2,
  57174.4,
  66847.90000000001,
  1e9,
  999_999_999.999,
  999_999_999.9999,
  123_456_789.001,
  1e-7,
  1e21,
  2 ** 53,
  1e300,
  5e-324,
  1.7976931348623157e308,
  -2.2250738585072014e-308,
  -0.0000012345678901234567,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
])('%d is written as it is formatted', (value) => {
  expect(written(value)).toBe(formatFloat(value))
})

test('numbers of any size and any number of digits are written as they are formatted', () => {
  const random = seededRandom(17)
  const view = new DataView(new ArrayBuffer(8))
  for (let i = 0; i < 200_000; i += 1) {
    const decimals = random.below(7)
    const short = random.below(10 ** (1 + random.below(14))) / 10 ** decimals
    view.setUint32(0, random.below(2 ** 32))
    view.setUint32(4, random.below(2 ** 32))
    const neighbour = short * (1 + Number.EPSILON * random.below(3))
    for (const value of [short, -short, neighbour, view.getFloat64(0)]) {
      if (written(value) !== formatFloat(value)) expect(written(value)).toBe(formatFloat(value))
    }
  }
})

test('whole numbers are written', () => {
  for (const value of [0, 7, 10, 1_795_115_580, 2 ** 53 - 1]) {
    expect(bytes.toString('latin1', 0, writeInteger(bytes, 0, value))).toBe(String(value))
  }
})
