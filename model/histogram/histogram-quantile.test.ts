import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { observedHistogram } from '../../test/support/observed-histogram.ts'
import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type FloatHistogram } from '../float-histogram.ts'
import { histogramFraction } from './histogram-fraction.ts'
import { histogramQuantile } from './histogram-quantile.ts'
import { histogramAverage, histogramDeviation, histogramVariance } from './histogram-variance.ts'

const OBSERVATIONS = fc.array(
  fc.integer({ min: -4000, max: 4000 }).map((n) => n / 16),
  { minLength: 1, maxLength: 50 },
)
const SCHEMA = fc.integer({ min: -2, max: 8 })
const PHI = fc.double({ min: 0, max: 1, noNaN: true })

function quantile(phi: number, histogram: FloatHistogram): number {
  return histogramQuantile(phi, histogram).value
}

function fraction(lower: number, upper: number, histogram: FloatHistogram): number {
  return histogramFraction(lower, upper, histogram).value
}

/** Buckets (-∞, 1], (1, 2], (2, 4], (4, +∞). */
function custom(bounds: readonly number[], counts: readonly number[], sum = 0): FloatHistogram {
  return {
    ...EMPTY_HISTOGRAM,
    schema: CUSTOM_BUCKETS_SCHEMA,
    sum,
    count: counts.reduce((total, count) => total + count, 0),
    positiveSpans: [{ offset: 0, length: counts.length }],
    positiveBuckets: counts,
    customValues: bounds,
  }
}

describe('histogramQuantile', () => {
  test('lies in the bucket of the observation of that rank', () => {
    fc.assert(
      fc.property(OBSERVATIONS, SCHEMA, PHI, (observations, schema, phi) => {
        const value = quantile(phi, observedHistogram(observations, schema, 0.1))
        const sorted = [...observations].sort((a, b) => a - b)
        const rank = phi * sorted.length
        const lowest = sorted[Math.max(0, Math.ceil(rank - 1e-9) - 1)] ?? Number.NaN
        const highest = sorted[Math.min(sorted.length - 1, Math.floor(rank + 1e-9))] ?? Number.NaN
        // A bucket is at most this much wider than the observation in it; the zero bucket reaches from -0.1 to 0.1.
        const width = 2 ** (2 ** -schema) * (1 + 1e-9)
        const slack = (observation: number): number => Math.max(0.2, Math.abs(observation) * (width - 1))
        expect(value).toBeGreaterThanOrEqual(lowest - slack(lowest) - 1e-9)
        expect(value).toBeLessThanOrEqual(highest + slack(highest) + 1e-9)
      }),
    )
  })

  test('grows with phi', () => {
    fc.assert(
      fc.property(OBSERVATIONS, SCHEMA, PHI, PHI, (observations, schema, one, other) => {
        const histogram = observedHistogram(observations, schema, 0.1)
        const low = quantile(Math.min(one, other), histogram)
        const high = quantile(Math.max(one, other), histogram)
        expect(low).toBeLessThanOrEqual(high + Math.abs(high) * 1e-12)
      }),
    )
  })

  test('histogramFraction is its inverse', () => {
    fc.assert(
      fc.property(OBSERVATIONS, SCHEMA, PHI, (observations, schema, phi) => {
        const histogram = observedHistogram(observations, schema, 0.1)
        const value = quantile(phi, histogram)
        const share = fraction(Number.NEGATIVE_INFINITY, value, histogram)
        expect(quantile(share, histogram)).toBeCloseTo(value, 6)
        expect(share).toBeCloseTo(phi, 9)
      }),
    )
  })

  test('interpolates on a logarithmic scale', () => {
    const one = observedHistogram([1.5, 1.5], 0, 0)
    expect(quantile(0.5, one)).toBeCloseTo(Math.SQRT2, 12)
    expect(quantile(0.25, one)).toBeCloseTo(2 ** 0.25, 12)
    expect(quantile(0.25, observedHistogram([-1.5, -1.5], 0, 0))).toBeCloseTo(-(2 ** 0.75), 12)
    expect(fraction(2 ** 0.25, 2 ** 0.75, one)).toBeCloseTo(0.5, 12)
  })

  test('the zero bucket: linear, and only the side that has buckets', () => {
    expect(quantile(0.5, observedHistogram([0, 0], 0, 1))).toBe(0)
    expect(quantile(0.25, observedHistogram([0, 0], 0, 1))).toBe(-0.5)
    expect(quantile(0.25, observedHistogram([0, 0, 5, 5], 0, 1))).toBe(0.5)
    expect(quantile(0.75, observedHistogram([0, 0, -5, -5], 0, 1))).toBe(-0.5)
  })

  test('own bounds: linear, the first bucket begins at 0, the last is as its lower bound', () => {
    const histogram = custom([1, 2, 4], [2, 0, 4, 2])
    expect(quantile(0.125, histogram)).toBe(0.5)
    expect(quantile(0.5, histogram)).toBe(3)
    expect(quantile(0.9, histogram)).toBe(4)
    expect(quantile(0.1, custom([-1, 2], [3, 1, 0]))).toBe(-1)
  })

  test('phi out of range, no observations', () => {
    const histogram = observedHistogram([1], 0, 0)
    expect(quantile(-0.1, histogram)).toBe(Number.NEGATIVE_INFINITY)
    expect(quantile(1.1, histogram)).toBe(Number.POSITIVE_INFINITY)
    expect(quantile(Number.NaN, histogram)).toBeNaN()
    expect(quantile(0.5, EMPTY_HISTOGRAM)).toBeNaN()
  })

  test('observations of NaN are higher than all others, and the caller hears of it', () => {
    const histogram = { ...observedHistogram([1.5, 1.5, 3, 3], 0, 0), count: 5, sum: Number.NaN }
    expect(histogramQuantile(0.9, histogram)).toEqual({ value: Number.NaN, nanEffect: 'result' })
    expect(histogramQuantile(0.2, histogram)).toEqual({
      value: expect.closeTo(Math.SQRT2, 12),
      nanEffect: 'skew',
    })
    expect(histogramFraction(1, 2, histogram)).toEqual({ value: 0.4, hasNaN: true })
    expect(histogramFraction(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, histogram).value).toBe(0.8)
    // +Inf and -Inf have been observed: their sum is NaN as well, but nothing is missing in the buckets.
    expect(histogramQuantile(0.5, { ...histogram, count: 4 }).nanEffect).toBe('none')
    expect(histogramFraction(1, 2, { ...histogram, count: 4 }).hasNaN).toBe(false)
  })
})

describe('histogramFraction', () => {
  test('counts what lies between powers of two exactly', () => {
    fc.assert(
      fc.property(OBSERVATIONS, fc.integer({ min: 0, max: 4 }), (observations, schema) => {
        const histogram = observedHistogram(observations, schema, 0.01)
        const between = observations.filter((value) => value > 0.5 && value <= 64).length
        expect(fraction(0.5, 64, histogram)).toBeCloseTo(between / observations.length, 12)
      }),
    )
  })

  test('own bounds: buckets that begin at -Inf or end at +Inf', () => {
    const histogram = custom([1, 2], [2, 2, 4])
    expect(fraction(Number.NEGATIVE_INFINITY, 0.5, histogram)).toBe(0.125)
    expect(fraction(1.5, 100, histogram)).toBe(0.125)
    expect(fraction(1.5, Number.POSITIVE_INFINITY, histogram)).toBe(0.625)
    expect(fraction(Number.NEGATIVE_INFINITY, -3, custom([-1, 2], [3, 1, 0]))).toBe(0.75)
  })

  test('special values', () => {
    const histogram = observedHistogram([1, 2], 0, 0)
    expect(fraction(3, 3, histogram)).toBe(0)
    expect(fraction(4, 3, histogram)).toBe(0)
    expect(fraction(Number.NaN, 3, histogram)).toBeNaN()
    expect(fraction(0, 1, EMPTY_HISTOGRAM)).toBeNaN()
  })
})

describe('mean and variance', () => {
  test('of observations that lie at the middles of their buckets are exact', () => {
    const middles = [2 ** 0.5, 2 ** 0.5, 2 ** 2.5, -(2 ** 1.5), 0]
    const histogram = observedHistogram(middles, 0, 0.001)
    const mean = middles.reduce((sum, value) => sum + value, 0) / middles.length
    const variance = middles.reduce((sum, value) => sum + (value - mean) ** 2, 0) / middles.length
    expect(histogramAverage(histogram)).toBeCloseTo(mean, 12)
    expect(histogramVariance(histogram)).toBeCloseTo(variance, 9)
    expect(histogramDeviation(histogram)).toBeCloseTo(Math.sqrt(variance), 9)
  })

  test('own bounds: arithmetic middles', () => {
    // Middles 1.5 and 3.
    expect(histogramVariance(custom([1, 2, 4], [0, 1, 1, 0], 4.5))).toBe(0.5625)
  })
})
