import { describe, expect, test } from 'vitest'
import { EMPTY_HISTOGRAM } from '../../model/float-histogram.ts'
import type { ExposedHistogram } from './exposition.ts'
import { finestSchema, fitHistogram } from './fit-histogram.ts'

const UNLIMITED = { nativeHistogramBucketLimit: 0, nativeHistogramMinBucketFactor: 0 }

const HISTOGRAM: ExposedHistogram = {
  ...EMPTY_HISTOGRAM,
  isInteger: true,
  schema: 3,
  zeroThreshold: 0.5,
  zeroCount: 1,
  count: 22,
  positiveSpans: [
    { offset: -3, length: 4 },
    { offset: 0, length: 2 },
  ],
  positiveBuckets: [1, 0, 2, 3, 4, 5],
  negativeSpans: [{ offset: 1, length: 3 }],
  negativeBuckets: [6, 0, 0],
}

describe('fitHistogram', () => {
  test('leaves empty buckets out', () => {
    expect(fitHistogram(HISTOGRAM, UNLIMITED, 'm')).toEqual({
      ...HISTOGRAM,
      positiveSpans: [
        { offset: -3, length: 1 },
        { offset: 1, length: 4 },
      ],
      positiveBuckets: [1, 2, 3, 4, 5],
      negativeSpans: [{ offset: 1, length: 1 }],
      negativeBuckets: [6],
    })
  })

  test('merges buckets until there are no more than allowed', () => {
    const limits = { ...UNLIMITED, nativeHistogramBucketLimit: 4 }
    // -3, -1 … 2 become -1, 0, 0, 1, 1 and, once more, 0, 0, 1; the negative 1 stays 1.
    expect(fitHistogram(HISTOGRAM, limits, 'm')).toMatchObject({
      schema: 2,
      positiveSpans: [{ offset: -1, length: 3 }],
      positiveBuckets: [1, 5, 9],
      negativeBuckets: [6],
    })
    expect(fitHistogram(HISTOGRAM, { ...limits, nativeHistogramBucketLimit: 3 }, 'm')).toMatchObject({
      schema: 1,
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveBuckets: [6, 9],
    })
    expect(() => fitHistogram(HISTOGRAM, { ...limits, nativeHistogramBucketLimit: 1 }, 'm')).toThrow(
      'Cannot scrape: histogram bucket limit exceeded',
    )
  })

  test('finer schemas than are stored, and than are wanted', () => {
    const fine = { ...HISTOGRAM, schema: 11 }
    expect(fitHistogram(fine, UNLIMITED, 'm')).toMatchObject({
      schema: 8,
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveBuckets: [6, 9],
    })
    expect(fitHistogram(fine, { ...UNLIMITED, nativeHistogramMinBucketFactor: 2 }, 'm').schema).toBe(0)
  })

  test.each([
    [
      { count: 21 },
      'Cannot read the metrics: a histogram of "m" counts 21 observations, and 22 in its buckets',
    ],
    [{ schema: 53 }, 'has the schema 53'],
    [{ negativeSpans: [] }, 'has 3 negative buckets, and spans for 0'],
  ])('%j is refused', (wrong, message) => {
    expect(() => fitHistogram({ ...HISTOGRAM, ...wrong }, UNLIMITED, 'm')).toThrow(message)
    expect(fitHistogram({ ...HISTOGRAM, count: 21, isInteger: false }, UNLIMITED, 'm').count).toBe(21)
  })
})

test.each([
  [0, 8],
  [1, 8],
  [1.001, 8],
  // 2^(2^-8) is 1.00271…: the schema's own factor is enough.
  [1.0027, 8],
  [1.0028, 7],
  [1.1, 2],
  [2, 0],
  [2.1, -1],
  [4, -1],
  [65_536, -4],
  [1e9, -4],
])('buckets that grow by %s at least: schema %s', (factor, schema) => {
  expect(finestSchema(factor)).toBe(schema)
})
