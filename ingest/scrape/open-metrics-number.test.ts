import { expect, test } from 'vitest'
import { openMetricsNumber } from './open-metrics-number.ts'

test.each([
  [1, '1.0'],
  [0, '0.0'],
  [-0, '0.0'],
  [-1, '-1.0'],
  [0.25, '0.25'],
  [100_000, '100000.0'],
  [1_000_000, '1e+06'],
  [2_500_000, '2.5e+06'],
  [1e-5, '1e-05'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
  [Number.NaN, 'NaN'],
])('%s is written %s', (value, text) => {
  expect(openMetricsNumber(value)).toBe(text)
})
