import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { observedHistogram } from '../../test/support/observed-histogram.ts'
import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type FloatHistogram } from '../float-histogram.ts'
import { histogramEquals } from './histogram-equals.ts'
import { isCounterReset } from './is-counter-reset.ts'
import { reduceResolution } from './reduce-resolution.ts'

const OBSERVATIONS = fc.array(
  fc.integer({ min: -2000, max: 2000 }).map((n) => n / 16),
  { maxLength: 30 },
)

function custom(bounds: readonly number[], counts: readonly number[]): FloatHistogram {
  return {
    ...EMPTY_HISTOGRAM,
    schema: CUSTOM_BUCKETS_SCHEMA,
    count: counts.reduce((sum, count) => sum + count, 0),
    positiveSpans: [{ offset: 0, length: counts.length }],
    positiveBuckets: counts,
    customValues: bounds,
  }
}

describe('isCounterReset', () => {
  test('more observations are none, fewer are one; also in a coarser schema', () => {
    fc.assert(
      fc.property(
        OBSERVATIONS,
        OBSERVATIONS,
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 0, max: 3 }),
        (before, more, schema, coarser) => {
          const previous = observedHistogram(before, schema, 0.01)
          const current = observedHistogram([...before, ...more], schema - coarser, 0.01)
          expect(isCounterReset(current, previous)).toBe(false)
          if (more.length > 0 && coarser === 0) expect(isCounterReset(previous, current)).toBe(true)
        },
      ),
    )
  })

  test('a bucket that lost something, even if the count has not', () => {
    expect(isCounterReset(observedHistogram([1, 1, 1], 0, 0), observedHistogram([1, 5], 0, 0))).toBe(true)
    expect(isCounterReset(observedHistogram([1, 1, 1], 0, 0), observedHistogram([1, -5], 0, 0))).toBe(true)
    expect(isCounterReset(observedHistogram([1, 1, 1], 0, 0), observedHistogram([0, 1], 0, 0))).toBe(true)
  })

  test('how buckets are cut into spans makes no difference', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 })
    const offset = fc.integer({ min: -4, max: 2 })
    const zeroThreshold = fc.constantFrom(0, 0.1, 0.5, 2)
    fc.assert(
      fc.property(
        counts,
        counts,
        offset,
        zeroThreshold,
        fc.boolean(),
        (before, now, at, zero, isNegative) => {
          const of = (buckets: number[], spans: { offset: number; length: number }[]): FloatHistogram => ({
            ...EMPTY_HISTOGRAM,
            zeroThreshold: zero,
            count: 100,
            ...(isNegative
              ? { negativeSpans: spans, negativeBuckets: buckets }
              : { positiveSpans: spans, positiveBuckets: buckets }),
          })
          const whole = [{ offset: at, length: 4 }]
          const cut = [
            { offset: at, length: 1 },
            { offset: 0, length: 3 },
          ]
          const expected = isCounterReset(of(now, cut), of(before, whole))
          expect(isCounterReset(of(now, whole), of(before, whole))).toBe(expected)
          expect(isCounterReset(of(now, cut), of(before, cut))).toBe(expected)
        },
      ),
    )
  })

  test('an empty bucket may vanish', () => {
    const previous = {
      ...observedHistogram([1], 0, 0),
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveBuckets: [1, 0],
    }
    expect(isCounterReset(observedHistogram([1], 0, 0), previous)).toBe(false)
  })

  test('a finer schema and a narrower zero bucket', () => {
    const observations = [0.001, 3, 5]
    expect(isCounterReset(observedHistogram(observations, 1, 1), observedHistogram(observations, 0, 1))).toBe(
      true,
    )
    expect(
      isCounterReset(observedHistogram(observations, 0, 0.5), observedHistogram(observations, 0, 1)),
    ).toBe(true)
  })

  test('a wider zero bucket is none unless it cuts a populated bucket', () => {
    const previous = observedHistogram([0.75, 3, 5], 0, 0.001)
    expect(isCounterReset(observedHistogram([0.75, 3, 5], 0, 2), previous)).toBe(false)
    expect(isCounterReset(observedHistogram([0.75, 3, 5], 0, 2.5), previous)).toBe(true)
    expect(isCounterReset({ ...observedHistogram([3, 5, 5], 0, 2), zeroCount: 0 }, previous)).toBe(true)
  })

  test('own bounds: compared at those in common', () => {
    expect(isCounterReset(custom([1, 2], [1, 1, 1]), custom([1, 2], [1, 1, 1]))).toBe(false)
    expect(isCounterReset(custom([1, 2], [0, 3, 1]), custom([1, 2], [1, 1, 1]))).toBe(true)
    expect(isCounterReset(custom([2], [2, 1]), custom([1, 2], [1, 1, 1]))).toBe(false)
    expect(isCounterReset(custom([2], [1, 3]), custom([1, 2], [1, 1, 1]))).toBe(true)
    expect(isCounterReset(custom([2], [1, 3]), observedHistogram([], 0, 0))).toBe(true)
    expect(isCounterReset(observedHistogram([], 0, 0), custom([2], [0, 0]))).toBe(true)
  })

  test('the hint of the current one decides, gauges are looked at', () => {
    const less = observedHistogram([1], 0, 0)
    const more = observedHistogram([1, 2], 0, 0)
    expect(isCounterReset({ ...more, counterResetHint: 'reset' }, less)).toBe(true)
    expect(isCounterReset({ ...less, counterResetHint: 'not_reset' }, more)).toBe(false)
    expect(isCounterReset({ ...less, counterResetHint: 'gauge' }, more)).toBe(true)
    expect(isCounterReset(more, { ...less, counterResetHint: 'reset' })).toBe(false)
  })
})

test('reduceResolution counts the same observations in wider buckets', () => {
  fc.assert(
    fc.property(
      OBSERVATIONS,
      fc.integer({ min: -4, max: 8 }),
      fc.integer({ min: -4, max: 8 }),
      (list, from, to) => {
        const reduced = reduceResolution(observedHistogram(list, from, 0.01), to)
        expect(histogramEquals(reduced, observedHistogram(list, Math.min(from, to), 0.01))).toBe(true)
      },
    ),
  )
})

describe('histogramEquals', () => {
  const histogram = observedHistogram([1, 2, 8, -3], 1, 0.1)

  test('how buckets are cut into spans does not matter, an empty bucket does', () => {
    const [first, ...rest] = histogram.positiveSpans
    const cut = [
      { offset: first?.offset ?? 0, length: 0 },
      { offset: 0, length: first?.length ?? 0 },
      ...rest,
    ]
    expect(histogramEquals({ ...histogram, positiveSpans: cut }, histogram)).toBe(true)
    const padded = {
      ...histogram,
      negativeSpans: [{ offset: histogram.negativeSpans[0]?.offset ?? 0, length: 2 }],
      negativeBuckets: [1, 0],
    }
    expect(histogramEquals(padded, histogram)).toBe(false)
  })

  test('numbers are compared bit by bit, the hint is not compared', () => {
    expect(histogramEquals({ ...histogram, counterResetHint: 'gauge' }, histogram)).toBe(true)
    const notANumber = { ...histogram, sum: Number.NaN }
    expect(histogramEquals(notANumber, { ...notANumber })).toBe(true)
    for (const other of [
      { sum: 7 },
      { count: 5 },
      { zeroCount: -0 },
      { zeroThreshold: 0.2 },
      { schema: 2 },
    ]) {
      expect(histogramEquals({ ...histogram, ...other }, histogram)).toBe(false)
    }
  })
})
