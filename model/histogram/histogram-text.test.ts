import { expect, test } from 'vitest'
import { observedHistogram } from '../../test/support/observed-histogram.ts'
import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type FloatHistogram } from '../float-histogram.ts'
import { histogramJson } from './histogram-json.ts'
import { histogramTestText } from './histogram-test-text.ts'
import { histogramText } from './histogram-text.ts'

const MIXED: FloatHistogram = {
  ...EMPTY_HISTOGRAM,
  count: 10,
  sum: 1.5,
  zeroThreshold: 0.75,
  zeroCount: 2,
  positiveSpans: [
    { offset: 0, length: 2 },
    { offset: 1, length: 1 },
  ],
  positiveBuckets: [1, 0, 3],
  negativeSpans: [{ offset: 1, length: 2 }],
  negativeBuckets: [3.5, 0.5],
  counterResetHint: 'gauge',
}
const CUSTOM: FloatHistogram = {
  ...EMPTY_HISTOGRAM,
  schema: CUSTOM_BUCKETS_SCHEMA,
  count: 3e6,
  sum: Number.NaN,
  positiveSpans: [{ offset: 0, length: 3 }],
  positiveBuckets: [1, 0, 2],
  customValues: [2.5, 1e6],
}

test('as Prometheus writes it in texts', () => {
  expect(histogramText(MIXED)).toBe(
    '{count:10, sum:1.5, [-4,-2):0.5, [-2,-1):3.5, [-0.75,0.75]:2, (0.5,1]:1, (4,8]:3}',
  )
  expect(histogramText(CUSTOM)).toBe('{count:3e+06, sum:NaN, [-Inf,2.5]:1, (1e+06,+Inf]:2}')
  expect(histogramText(EMPTY_HISTOGRAM)).toBe('{count:0, sum:0}')
})

test('in the notation of tests', () => {
  expect(histogramTestText(MIXED)).toBe(
    '{{count:10 sum:1.5 z_bucket:2 z_bucket_w:0.75 counter_reset_hint:gauge buckets:[1 0 0 3] n_offset:1 n_buckets:[3.5 0.5]}}',
  )
  expect(histogramTestText(CUSTOM)).toBe(
    '{{schema:-53 count:3e+06 sum:NaN custom_values:[2.5 1e+06] buckets:[1 0 2]}}',
  )
  expect(histogramTestText(EMPTY_HISTOGRAM)).toBe('{{}}')
})

test('buckets far apart do not make a text without end', () => {
  const far = {
    ...EMPTY_HISTOGRAM,
    positiveSpans: [
      { offset: 0, length: 1 },
      { offset: 2 ** 30, length: 1 },
    ],
    positiveBuckets: [1, 1],
  }
  expect(histogramTestText(far)).toBe('{{buckets:[1]}}')
})

test('for the HTTP API: ascending, empty buckets left out, bounds that overlap with the zero bucket cut', () => {
  expect(histogramJson(MIXED, String)).toEqual({
    count: '10',
    sum: '1.5',
    buckets: [
      [1, '-4', '-2', '0.5'],
      [1, '-2', '-1', '3.5'],
      [3, '-0.75', '0.75', '2'],
      [0, '0.75', '1', '1'],
      [0, '4', '8', '3'],
    ],
  })
  expect(histogramJson(CUSTOM, String).buckets).toEqual([
    [3, '-Infinity', '2.5', '1'],
    [0, '1000000', 'Infinity', '2'],
  ])
  expect(histogramJson(observedHistogram([], 0, 0), String)).toEqual({ count: '0', sum: '0' })
})
