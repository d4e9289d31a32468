import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { observedHistogram } from '../../test/support/observed-histogram.ts'
import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type FloatHistogram } from '../float-histogram.ts'
import { compactHistogram } from './compact-histogram.ts'
import { histogramEquals } from './histogram-equals.ts'
import { createHistogramMean } from './histogram-mean.ts'
import { createHistogramSum } from './histogram-sum.ts'

const LISTS = fc.array(
  fc.array(
    fc.integer({ min: -500, max: 500 }).map((n) => n / 4),
    { minLength: 1, maxLength: 10 },
  ),
  { minLength: 1, maxLength: 8 },
)

function of(sum: number, ...positiveBuckets: number[]): FloatHistogram {
  return {
    ...EMPTY_HISTOGRAM,
    sum,
    count: positiveBuckets.reduce((total, count) => total + count, 0),
    positiveSpans: [{ offset: 0, length: positiveBuckets.length }],
    positiveBuckets,
  }
}

describe('createHistogramSum', () => {
  test('counts what all have observed', () => {
    fc.assert(
      fc.property(LISTS, fc.integer({ min: -4, max: 8 }), (lists, schema) => {
        const sum = createHistogramSum()
        for (const list of lists) expect(sum.add(observedHistogram(list, schema, 0.25))).toBe(true)
        const result = sum.result()
        const all = observedHistogram(lists.flat(), schema, 0.25)
        expect(result !== null && histogramEquals(compactHistogram(result), all)).toBe(true)
      }),
    )
  })

  test('loses nothing to rounding', () => {
    const sum = createHistogramSum()
    for (const histogram of [of(1e100, 1e100, 1), of(1, 1, 1), of(-1e100, -1e100, 1)]) sum.add(histogram)
    // 1e100 + 1 - 1e100 is 0 when it is just added.
    expect(sum.result()).toMatchObject({ sum: 1, positiveBuckets: [1, 3] })
  })

  test('also when a later one has a coarser schema', () => {
    const sum = createHistogramSum()
    sum.add({ ...of(0, 1e100, 3, 5, 7), schema: 1 })
    sum.add({ ...of(0, 1, 0, 0, 0), schema: 1 })
    sum.add({ ...of(0, -1e100), schema: 0 })
    // Buckets 0 | 1 2 | 3 of schema 1 are 0 | 1 | 2 of schema 0.
    expect(sum.result()).toMatchObject({ schema: 0, positiveBuckets: [1, 8, 7] })
  })

  test('the histograms given stay as they were', () => {
    const first = of(1, 1, 2)
    const sum = createHistogramSum()
    sum.add(first)
    sum.add(of(1, 1, 2, 3))
    expect(first).toEqual(of(1, 1, 2))
  })

  test('nothing added, nothing there; kinds that do not go together are refused', () => {
    const sum = createHistogramSum()
    expect(sum.result()).toBeNull()
    expect(sum.add(of(1, 1))).toBe(true)
    expect(sum.add({ ...of(1, 1), schema: CUSTOM_BUCKETS_SCHEMA, customValues: [1] })).toBe(false)
    expect(sum.result()).toMatchObject({ sum: 1, count: 1 })
  })

  test('a reset and a "not reset" collide even with others between them', () => {
    const sum = createHistogramSum()
    sum.add({ ...of(1, 1), counterResetHint: 'reset' })
    sum.add(of(1, 1))
    expect(sum.hasResetCollision()).toBe(false)
    sum.add({ ...of(1, 1), counterResetHint: 'not_reset' })
    expect(sum.hasResetCollision()).toBe(true)
  })
})

describe('createHistogramMean', () => {
  test('is the sum divided by how many there are', () => {
    const mean = createHistogramMean()
    for (const histogram of [of(6, 1, 2), of(3, 2, 4), of(0, 3)]) mean.add(histogram)
    expect(mean.result()).toMatchObject({ sum: 3, count: 4, positiveBuckets: [2, 2] })
  })

  test('stays finite where the sum would not', () => {
    const mean = createHistogramMean()
    for (let i = 0; i < 5; i += 1) mean.add({ ...of(1.6e308, 1e308), count: 1.5e308, zeroCount: 4 })
    const result = mean.result()
    expect(result?.sum).toBeCloseTo(1.6e308, -295)
    expect((result?.count ?? 0) / 1.5e308).toBeCloseTo(1, 12)
    expect((result?.positiveBuckets[0] ?? 0) / 1e308).toBeCloseTo(1, 12)
    expect(result?.zeroCount).toBeCloseTo(4, 12)
  })

  test('an infinite sum stays infinite', () => {
    const mean = createHistogramMean()
    for (const sum of [1, Number.POSITIVE_INFINITY, 2]) mean.add(of(sum, 1))
    expect(mean.result()).toMatchObject({ sum: Number.POSITIVE_INFINITY })
  })
})
