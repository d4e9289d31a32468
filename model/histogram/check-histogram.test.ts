import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { observedHistogram } from '../../test/support/observed-histogram.ts'
import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type FloatHistogram } from '../float-histogram.ts'
import { checkHistogram } from './check-histogram.ts'
import { fromClassicBuckets } from './from-classic-buckets.ts'
import { DEFAULT_ZERO_THRESHOLD, fromExponential } from './from-exponential.ts'
import { histogramEquals } from './histogram-equals.ts'
import { divideHistogram, negateHistogram, scaleHistogram } from './scale-histogram.ts'

describe('checkHistogram', () => {
  const good = observedHistogram([1, 2, 300, -5, 0], 3, 0.01)
  const own = fromClassicBuckets([1, 2], [1, 2, 3], 10, 6)

  test('good ones', () => {
    for (const histogram of [good, own, EMPTY_HISTOGRAM, { ...own, customValues: [-1, 2, 3] }]) {
      expect(checkHistogram(histogram, true)).toBeNull()
    }
    expect(checkHistogram({ ...good, count: 9, sum: Number.NaN }, true)).toBeNull()
    // Counts that are not whole are rounded: they need not add up.
    expect(checkHistogram({ ...good, count: 9 })).toBeNull()
  })

  test.each<[Partial<FloatHistogram>, RegExp]>([
    [{ schema: 9 }, /schema 9/],
    [{ schema: -5 }, /schema -5/],
    [{ schema: 0.5 }, /schema 0.5/],
    [{ customValues: [1] }, /bounds of its own and an exponential schema/],
    [{ zeroThreshold: -1 }, /width -1/],
    [{ zeroThreshold: Number.NaN }, /width NaN/],
    [{ zeroCount: -1 }, /zero bucket with a count of -1/],
    [{ count: -1 }, /negative count/],
    [{ positiveSpans: [{ offset: 0, length: 2 }] }, /positive spans over 2 buckets but 3/],
    [{ negativeBuckets: [-2] }, /-2 observations in negative bucket 1/],
    [
      {
        positiveSpans: [
          { offset: 0, length: 1 },
          { offset: -1, length: 2 },
        ],
      },
      /offset -1/,
    ],
    [{ positiveSpans: [{ offset: 2 ** 31, length: 3 }] }, /beyond all buckets/],
    [{ count: 4 }, /5 observations in its buckets but a count of 4/],
    [{ count: 4, sum: Number.NaN }, /5 observations/],
  ])('%j', (wrong, reason) => {
    expect(checkHistogram({ ...good, ...wrong }, true)).toMatch(reason)
  })

  test.each<[Partial<FloatHistogram>, RegExp]>([
    [{ customValues: [2, 1] }, /do not ascend: 1 after 2/],
    [{ customValues: [1, 1] }, /do not ascend/],
    [{ customValues: [1, Number.NaN] }, /NaN/],
    [{ customValues: [1, Number.POSITIVE_INFINITY] }, /\+Inf/],
    [{ customValues: [1] }, /1 bounds, which are too few for 3 buckets/],
    [{ zeroCount: 1 }, /zero bucket/],
    [{ negativeSpans: [{ offset: 0, length: 1 }], negativeBuckets: [1] }, /negative buckets/],
    [{ positiveSpans: [{ offset: -1, length: 3 }] }, /offset -1/],
  ])('with own bounds: %j', (wrong, reason) => {
    expect(checkHistogram({ ...own, ...wrong }, true)).toMatch(reason)
  })
})

describe('fromExponential', () => {
  const empty = { offset: 0, counts: [] }
  const point = {
    scale: 0,
    count: 0,
    sum: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    positive: empty,
    negative: empty,
  }

  test('buckets of OTLP and of Prometheus hold the same observations, also from a finer scale', () => {
    const observations = fc.array(fc.integer({ min: 1, max: 4000 }), { maxLength: 20 })
    fc.assert(
      fc.property(observations, fc.integer({ min: -4, max: 10 }), (list, scale) => {
        // Bucket i of OTLP: base^i < value <= base^(i + 1).
        const counts = new Array<number>(2 ** Math.max(scale, 0) * 16).fill(0)
        const offset = -counts.length / 4
        for (const value of list) {
          let index = Math.floor(Math.log2(value) * 2 ** scale) - 1
          while (2 ** ((index + 1) / 2 ** scale) < value) index += 1
          counts[index - offset] = (counts[index - offset] ?? 0) + 1
        }
        const sum = list.reduce((total, value) => total + value, 0)
        const histogram = fromExponential({
          ...point,
          scale,
          count: list.length,
          sum,
          positive: { offset, counts },
        })
        const expected = observedHistogram(list, Math.min(8, scale), DEFAULT_ZERO_THRESHOLD)
        expect(histogram !== null && histogramEquals(histogram, expected)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test('negative buckets, zero bucket, a scale too coarse', () => {
    const histogram = fromExponential({
      ...point,
      count: 6,
      zeroCount: 2,
      zeroThreshold: 0.25,
      negative: { offset: 1, counts: [1, 0, 3] },
    })
    expect(histogram).toMatchObject({ zeroCount: 2, zeroThreshold: 0.25, negativeBuckets: [1, 3] })
    expect(histogram?.negativeSpans).toEqual([
      { offset: 2, length: 1 },
      { offset: 1, length: 1 },
    ])
    expect(fromExponential({ ...point, scale: -5 })).toBeNull()
  })
})

test('a classic histogram keeps its bounds', () => {
  expect(fromClassicBuckets([0.1, 1], [3, 0, 1], 2.5, 4)).toMatchObject({
    schema: CUSTOM_BUCKETS_SCHEMA,
    customValues: [0.1, 1],
    positiveBuckets: [3, 0, 1],
    count: 4,
  })
})

describe('scaling', () => {
  const histogram = { ...observedHistogram([1, 2, -4, 0], 0, 0.5), counterResetHint: 'not_reset' as const }

  test('everything counted and the sum', () => {
    expect(scaleHistogram(histogram, 3)).toMatchObject({
      count: 12,
      sum: -3,
      zeroCount: 3,
      positiveBuckets: [3, 3],
      negativeBuckets: [3],
      counterResetHint: 'not_reset',
    })
    expect(divideHistogram(histogram, 2)).toMatchObject({ count: 2, sum: -0.5, positiveBuckets: [0.5, 0.5] })
  })

  test('what is negative is a gauge', () => {
    expect(negateHistogram(histogram)).toMatchObject({ count: -4, sum: 1, counterResetHint: 'gauge' })
    expect(divideHistogram(histogram, -1).counterResetHint).toBe('gauge')
  })

  test('division by 0 leaves no buckets', () => {
    expect(divideHistogram(histogram, 0)).toMatchObject({
      count: Number.POSITIVE_INFINITY,
      sum: Number.NEGATIVE_INFINITY,
      zeroCount: Number.POSITIVE_INFINITY,
      positiveSpans: [],
      positiveBuckets: [],
      negativeSpans: [],
      negativeBuckets: [],
      counterResetHint: 'not_reset',
    })
  })
})
