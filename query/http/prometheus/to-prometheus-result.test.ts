import { describe, expect, test } from 'vitest'
import { EMPTY_HISTOGRAM, type FloatHistogram } from '../../../model/float-histogram.ts'
import { toPrometheusResult } from './to-prometheus-result.ts'

const NOTES = { warnings: [], infos: [] }
const histogram: FloatHistogram = {
  ...EMPTY_HISTOGRAM,
  count: 6,
  sum: 18.5,
  zeroThreshold: 0.001,
  zeroCount: 1,
  positiveSpans: [{ offset: 0, length: 2 }],
  positiveBuckets: [2, 3],
}
const written = {
  count: '6',
  sum: '18.5',
  buckets: [
    [3, '-0.001', '0.001', '1'],
    [0, '0.5', '1', '2'],
    [0, '1', '2', '3'],
  ],
}

describe('a result in the form of the API', () => {
  test('an instant vector has numbers and native histograms', () => {
    const vector = [
      { labels: ['__name__', 'a'], timestampMs: 1500, value: 1e-7 },
      { labels: ['__name__', 'h'], timestampMs: 1500, value: 0, histogram },
    ]
    expect(toPrometheusResult({ type: 'vector', vector, ...NOTES }, null)).toEqual({
      resultType: 'vector',
      result: [
        { metric: { __name__: 'a' }, value: [1.5, '1e-07'] },
        { metric: { __name__: 'h' }, histogram: [1.5, written] },
      ],
    })
  })

  test('a matrix has each kind of point in a member of its own, and none that is empty', () => {
    const timestamps = Float64Array.of(0, 1000)
    const values = Float64Array.of(1, 2)
    const matrix = [
      { labels: ['x', 'both'], timestamps, values, histograms: [null, histogram] },
      { labels: ['x', 'histograms'], timestamps, values, histograms: [histogram, histogram] },
      { labels: ['x', 'numbers'], timestamps, values },
    ]
    const { result } = toPrometheusResult({ type: 'matrix', matrix, ...NOTES }, 3)
    expect(result).toEqual([
      { metric: { x: 'both' }, values: [[0, '1']], histograms: [[1, written]] },
      {
        metric: { x: 'histograms' },
        histograms: [
          [0, written],
          [1, written],
        ],
      },
      {
        metric: { x: 'numbers' },
        values: [
          [0, '1'],
          [1, '2'],
        ],
      },
    ])
    expect(Object.keys(result[1] ?? {})).toEqual(['metric', 'histograms'])
  })

  test('no more series than asked for', () => {
    const matrix = ['a', 'b', 'c'].map((x) => ({
      labels: ['x', x],
      timestamps: new Float64Array(0),
      values: new Float64Array(0),
    }))
    const { result } = toPrometheusResult({ type: 'matrix', matrix, ...NOTES }, 2)
    expect(result).toEqual([
      { metric: { x: 'a' }, values: [] },
      { metric: { x: 'b' }, values: [] },
    ])
  })
})
