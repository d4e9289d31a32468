import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { observedHistogram } from '../../test/support/observed-histogram.ts'
import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type FloatHistogram } from '../float-histogram.ts'
import { addHistograms, subtractHistograms } from './add-histograms.ts'
import { compactHistogram } from './compact-histogram.ts'
import { histogramBuckets } from './histogram-buckets.ts'
import { histogramEquals } from './histogram-equals.ts'

const OBSERVATION = fc.oneof(
  fc.constantFrom(0, 2 ** -10, 0.5, 1, 2, -1, -4),
  fc.integer({ min: -1000, max: 1000 }).map((n) => n / 16),
)
const OBSERVATIONS = fc.array(OBSERVATION, { maxLength: 40 })
const SCHEMA = fc.integer({ min: -4, max: 8 })
const THRESHOLD = fc.constantFrom(0, 0.001, 0.06, 0.3, 1, 1.7, 20)

function added(a: FloatHistogram, b: FloatHistogram): FloatHistogram {
  const outcome = addHistograms(a, b)
  if (outcome === null) throw new Error('not to be added')
  return compactHistogram(outcome.histogram)
}

function subtracted(a: FloatHistogram, b: FloatHistogram): FloatHistogram {
  const outcome = subtractHistograms(a, b)
  if (outcome === null) throw new Error('not to be subtracted')
  return compactHistogram(outcome.histogram)
}

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

describe('exponential buckets', () => {
  test('what both have observed, in the coarser schema', () => {
    fc.assert(
      fc.property(OBSERVATIONS, OBSERVATIONS, SCHEMA, SCHEMA, (a, b, schemaA, schemaB) => {
        const sum = added(observedHistogram(a, schemaA, 0.001), observedHistogram(b, schemaB, 0.001))
        const all = observedHistogram([...a, ...b], Math.min(schemaA, schemaB), 0.001)
        expect(histogramEquals(sum, all)).toBe(true)
      }),
    )
  })

  test('the wider zero bucket takes in whole buckets', () => {
    fc.assert(
      fc.property(OBSERVATIONS, OBSERVATIONS, SCHEMA, THRESHOLD, THRESHOLD, (a, b, schema, one, other) => {
        const first = observedHistogram(a, schema, one)
        const sum = added(first, observedHistogram(b, schema, other))
        expect(sum.zeroThreshold).toBeGreaterThanOrEqual(Math.max(one, other))
        const all = observedHistogram([...a, ...b], schema, sum.zeroThreshold)
        expect(histogramEquals(sum, all)).toBe(true)
        expect(histogramEquals(added(observedHistogram(b, schema, other), first), sum)).toBe(true)
      }),
    )
  })

  test('the zero bucket grows to the border of a populated bucket that it would cut', () => {
    const wide = observedHistogram([0.5], 0, 1.5)
    // (1, 2] is populated, (2, 4] is not touched.
    const sum = added(observedHistogram([1.9, 3], 0, 0.001), wide)
    expect(sum).toMatchObject({ zeroThreshold: 2, zeroCount: 2, positiveBuckets: [1] })
    // Nothing is cut when that bucket is empty.
    expect(added(observedHistogram([3], 0, 0.001), wide)).toMatchObject({ zeroThreshold: 1.5, zeroCount: 1 })
  })

  test('a bucket on the negative side lets the zero bucket grow on both', () => {
    const sum = added(observedHistogram([-5, 3, 100], 0, 0.001), observedHistogram([1], 0, 4.5))
    expect(sum).toMatchObject({ zeroThreshold: 8, zeroCount: 3, negativeBuckets: [], positiveBuckets: [1] })
  })

  test('subtracting what was added gives back what there was', () => {
    fc.assert(
      fc.property(OBSERVATIONS, OBSERVATIONS, SCHEMA, (a, b, schema) => {
        const first = observedHistogram(a, schema, 0.25)
        const second = observedHistogram(b, schema, 0.25)
        expect(histogramEquals(subtracted(added(first, second), second), first)).toBe(true)
      }),
    )
  })

  test('the operands stay as they were', () => {
    const a = observedHistogram([1, 2, 3], 2, 0.001)
    const b = observedHistogram([-7, 0.4, 2], 1, 0.5)
    const before = JSON.stringify([a, b])
    added(a, b)
    subtracted(a, b)
    expect(JSON.stringify([a, b])).toBe(before)
  })

  test('a zero bucket whose width is not a number does not hang', () => {
    const broken = { ...observedHistogram([1], 0, 0.001), zeroThreshold: Number.NaN }
    expect(addHistograms(broken, observedHistogram([1], 0, 0.001))).not.toBeNull()
  })
})

describe('bounds of their own', () => {
  test('the same bounds: bucket by bucket', () => {
    const outcome = addHistograms(custom([1, 2], [1, 0, 3]), custom([1, 2], [4, 5, 6]))
    expect(outcome?.wereBoundsReconciled).toBe(false)
    expect(outcome?.histogram.positiveBuckets).toEqual([5, 5, 9])
  })

  test('different bounds: those in common', () => {
    const outcome = addHistograms(custom([1, 2, 5], [1, 2, 3, 4]), custom([2, 3, 5], [10, 20, 30, 40]))
    expect(outcome?.wereBoundsReconciled).toBe(true)
    expect(outcome?.histogram.customValues).toEqual([2, 5])
    expect(outcome?.histogram.positiveBuckets).toEqual([1 + 2 + 10, 3 + 20 + 30, 4 + 40])
  })

  test('no bound in common: one bucket with everything', () => {
    const outcome = subtractHistograms(custom([1], [5, 1]), custom([2], [1, 1]))
    expect(outcome?.histogram).toMatchObject({ customValues: [], positiveBuckets: [4], count: 4 })
    expect(outcome && histogramBuckets(outcome.histogram)).toMatchObject([
      { lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY },
    ])
  })

  test('not together with exponential ones', () => {
    expect(addHistograms(custom([1], [1, 1]), observedHistogram([1], 0, 0))).toBeNull()
    expect(subtractHistograms(observedHistogram([1], 0, 0), custom([1], [1, 1]))).toBeNull()
  })
})

describe('the counter reset hint', () => {
  const hinted = (counterResetHint: FloatHistogram['counterResetHint']): FloatHistogram => ({
    ...EMPTY_HISTOGRAM,
    counterResetHint,
  })

  test.each([
    ['reset', 'reset', 'reset', false],
    ['reset', 'unknown', 'unknown', false],
    ['unknown', 'not_reset', 'unknown', false],
    ['gauge', 'reset', 'gauge', false],
    ['not_reset', 'gauge', 'gauge', false],
    ['reset', 'not_reset', 'unknown', true],
    ['not_reset', 'reset', 'unknown', true],
  ] as const)('%s and %s make %s', (a, b, hint, hasResetCollision) => {
    for (const combine of [addHistograms, subtractHistograms]) {
      const outcome = combine(hinted(a), hinted(b))
      expect(outcome?.histogram.counterResetHint).toBe(hint)
      expect(outcome?.hasResetCollision).toBe(hasResetCollision)
    }
  })
})
