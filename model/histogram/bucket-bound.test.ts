import { describe, expect, test } from 'vitest'
import { CUSTOM_BUCKETS_SCHEMA } from '../float-histogram.ts'
import { bucketBound, exponentialBound } from './bucket-bound.ts'

describe('exponentialBound', () => {
  test('powers of two are exact in all schemas', () => {
    for (let schema = -4; schema <= 8; schema += 1) {
      for (let exponent = -1008; exponent < 1008; exponent += 16) {
        const index = exponent * 2 ** schema
        expect(exponentialBound(index, schema)).toBe(2 ** exponent)
      }
    }
  })

  test('between them the bounds are those of Prometheus, to the last bit', () => {
    // Bounds as promtool's binary has them, in [0.5, 1).
    expect(exponentialBound(1, 1) / 2).toBe(0.7071067811865475)
    expect(exponentialBound(3, 2) / 2).toBe(0.8408964152537144)
    expect(exponentialBound(1, 8) / 2).toBe(0.5013556375251013)
    expect(exponentialBound(3, 8) / 2).toBe(0.5040779490592088)
    expect(exponentialBound(255, 8) / 2).toBe(0.9972960560854698)
    expect(exponentialBound(-255, 8)).toBe(0.5013556375251013)
  })

  test('a schema has every second bound of the next one', () => {
    for (let schema = 0; schema < 8; schema += 1) {
      for (let index = -600; index < 600; index += 1) {
        expect(exponentialBound(2 * index, schema + 1)).toBe(exponentialBound(index, schema))
      }
    }
  })

  test('bounds ascend and are near the real ones', () => {
    for (let index = -3000; index < 3000; index += 1) {
      const bound = exponentialBound(index, 8)
      expect(bound).toBeGreaterThan(exponentialBound(index - 1, 8))
      expect(bound / 2 ** (index / 256)).toBeCloseTo(1, 14)
    }
  })

  test('the last finite bucket ends at the greatest number, the next one at infinity', () => {
    for (let schema = -4; schema <= 8; schema += 1) {
      const last = 1024 * 2 ** schema
      expect(exponentialBound(last, schema)).toBe(Number.MAX_VALUE)
      expect(exponentialBound(last + 1, schema)).toBe(Number.POSITIVE_INFINITY)
      expect(exponentialBound(last - 1, schema)).toBeLessThan(Number.MAX_VALUE)
    }
  })

  test('the smallest numbers do not vanish too early', () => {
    expect(exponentialBound(-1074, 0)).toBe(5e-324)
    expect(exponentialBound(-1075, 0)).toBe(0)
  })
})

test('bounds of one’s own: the first bucket begins at -Inf, the last ends at +Inf', () => {
  const histogram = { schema: CUSTOM_BUCKETS_SCHEMA, customValues: [1, 2.5] }
  expect([-1, 0, 1, 2].map((index) => bucketBound(index, histogram))).toEqual([
    Number.NEGATIVE_INFINITY,
    1,
    2.5,
    Number.POSITIVE_INFINITY,
  ])
})
