import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { observedHistogram } from '../../test/support/observed-histogram.ts'
import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type FloatHistogram } from '../float-histogram.ts'
import { histogramFraction } from './histogram-fraction.ts'
import { trimLower, trimUpper } from './trim-histogram.ts'

const OBSERVATIONS = fc.array(
  fc.integer({ min: -4000, max: 4000 }).map((n) => n / 16),
  { minLength: 1, maxLength: 40 },
)

function custom(bounds: readonly number[], counts: readonly number[]): FloatHistogram {
  return {
    ...EMPTY_HISTOGRAM,
    schema: CUSTOM_BUCKETS_SCHEMA,
    sum: 1000,
    count: counts.reduce((total, count) => total + count, 0),
    positiveSpans: [{ offset: 0, length: counts.length }],
    positiveBuckets: counts,
    customValues: bounds,
  }
}

test('what is cut off and what is left are all there was, in the shares that histogramFraction gives', () => {
  fc.assert(
    fc.property(
      OBSERVATIONS,
      fc.integer({ min: -2, max: 6 }),
      fc.integer({ min: -4000, max: 4000 }).map((n) => n / 32),
      (observations, schema, bound) => {
        // The zero bucket ends at a border of all these schemas: a bucket that overlaps with it is cut for a share, not for trimming.
        const histogram = observedHistogram(observations, schema, 2 ** -4)
        const below = trimUpper(histogram, bound)
        const above = trimLower(histogram, bound)
        expect(below.count + above.count).toBeCloseTo(histogram.count, 9)
        const share = histogramFraction(Number.NEGATIVE_INFINITY, bound, histogram).value
        expect(below.count / histogram.count).toBeCloseTo(share, 9)
      },
    ),
    { numRuns: 300 },
  )
})

describe('exponential buckets', () => {
  // (1, 2]: 4, (2, 4]: 2, (4, 8]: 1.
  const histogram: FloatHistogram = {
    ...EMPTY_HISTOGRAM,
    count: 7,
    sum: 18,
    positiveSpans: [{ offset: 1, length: 3 }],
    positiveBuckets: [4, 2, 1],
  }

  test('a bound at a border keeps whole buckets', () => {
    expect(trimUpper(histogram, 4)).toMatchObject({
      count: 6,
      sum: expect.closeTo(4 * Math.SQRT2 + 2 * Math.sqrt(8), 12),
      positiveSpans: [{ offset: 1, length: 2 }],
      positiveBuckets: [4, 2],
    })
    expect(trimLower(histogram, 4)).toMatchObject({
      count: 1,
      sum: expect.closeTo(Math.sqrt(32), 12),
      positiveSpans: [{ offset: 3, length: 1 }],
      positiveBuckets: [1],
    })
  })

  test('a bound within a bucket interpolates on a logarithmic scale', () => {
    const below = trimUpper(histogram, 2 * Math.SQRT2)
    expect(below.positiveBuckets).toEqual([4, expect.closeTo(1, 12)])
    expect(below.sum).toBeCloseTo(4 * Math.SQRT2 + 2 * 2 ** 0.25, 12)
  })

  test('nothing to cut off: the same, the sum as well', () => {
    expect(trimUpper(histogram, 8)).toBe(histogram)
    expect(trimLower(histogram, 1)).toBe(histogram)
  })

  test('everything cut off', () => {
    for (const nothing of [
      trimUpper(histogram, 1),
      trimLower(histogram, 8),
      trimUpper(histogram, Number.NaN),
    ]) {
      expect(nothing).toMatchObject({ count: 0, sum: 0, positiveSpans: [], positiveBuckets: [] })
    }
  })

  test('negative buckets mirror the positive ones', () => {
    const negative = observedHistogram([-1.5, -1.5, -3], 0, 0)
    expect(trimUpper(negative, -2)).toMatchObject({ count: 1, negativeBuckets: [1] })
    expect(trimUpper(negative, -2).sum).toBeCloseTo(-Math.sqrt(8), 12)
    expect(trimLower(negative, -2)).toMatchObject({ count: 2, negativeBuckets: [2] })
  })

  test('the zero bucket is cut evenly, on the side that has buckets', () => {
    expect(trimUpper(observedHistogram([0, 0], 0, 1), 0.5)).toMatchObject({ zeroCount: 1.5, sum: -0.375 })
    const positive = observedHistogram([0, 0, 3], 0, 1)
    expect(trimUpper(positive, 0.5)).toMatchObject({ zeroCount: 1, count: 1, sum: 0.25 })
    expect(trimLower(positive, 0.5)).toMatchObject({ zeroCount: 1, count: 2 })
    expect(trimUpper(positive, 0)).toMatchObject({ zeroCount: 0, count: 0 })
  })
})

describe('bounds of their own', () => {
  const histogram = custom([1, 2, 4], [2, 3, 4, 5])

  test('cut linearly; the first bucket begins at 0', () => {
    expect(trimUpper(histogram, 3)).toMatchObject({ count: 7, sum: 2 * 0.5 + 3 * 1.5 + 2 * 2.5 })
    expect(trimUpper(histogram, 0.5)).toMatchObject({ count: 1, sum: 0.25 })
    expect(trimLower(histogram, 0.5)).toMatchObject({ count: 13, positiveBuckets: [1, 3, 4, 5] })
  })

  test('in the last bucket nobody knows where: above stays, below goes', () => {
    expect(trimUpper(histogram, 100)).toMatchObject({ count: 9, positiveBuckets: [2, 3, 4] })
    expect(trimLower(histogram, 100)).toMatchObject({ count: 5, sum: 500, positiveBuckets: [5] })
  })

  test('a first bucket below 0', () => {
    const negative = custom([-1, 2], [3, 4, 0])
    expect(trimUpper(negative, -5)).toMatchObject({ count: 3, sum: -15 })
    expect(trimLower(negative, -5)).toMatchObject({ count: 4 })
  })
})
