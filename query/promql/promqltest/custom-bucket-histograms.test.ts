import { describe, expect, test } from 'vitest'
import { customBucketHistograms } from './custom-bucket-histograms.ts'
import { parseSeries } from './parse-series.ts'

function histograms(...lines: string[]) {
  return customBucketHistograms(lines.map(parseSeries))
}

describe('classic histograms as native ones', () => {
  test('have the bounds and the counts between them', () => {
    const [one, ...others] = histograms(
      'h_bucket{le="0.5",x="1"} 1 2',
      'h_bucket{le="+Inf",x="1"} 4 8',
      'h_bucket{le="0.1",x="1"} 0 1',
      'h_sum{x="1"} 3 6',
      'h_count{x="1"} 4 8',
      'up{x="1"} 1 1',
    )
    expect(others).toEqual([])
    expect(one?.labels).toEqual(['__name__', 'h', 'x', '1'])
    expect(one?.values).toMatchObject([
      {
        kind: 'histogram',
        histogram: { schema: -53, sum: 3, count: 4, customValues: [0.1, 0.5], positiveBuckets: [0, 1, 3] },
      },
      { kind: 'histogram', histogram: { sum: 6, count: 8, positiveBuckets: [1, 1, 6] } },
    ])
  })

  test('are one series per set of other labels', () => {
    const made = histograms(
      'h_bucket{le="+Inf",x="1"} 1',
      'h_bucket{le="+Inf",x="2"} 1',
      'g_bucket{le="+Inf"} 1',
    )
    expect(made.map(({ labels }) => labels)).toEqual([
      ['__name__', 'h', 'x', '1'],
      ['__name__', 'h', 'x', '2'],
      ['__name__', 'g'],
    ])
  })

  test('take the count for the bucket without bound when it is not there', () => {
    const [one] = histograms('h_bucket{le="1"} 2', 'h_count 5')
    expect(one?.values).toMatchObject([{ histogram: { count: 5, positiveBuckets: [2, 3], sum: 0 } }])
  })

  test('take the bucket without bound for the count when it is not there', () => {
    const [one] = histograms('h_bucket{le="+Inf"} 5')
    expect(one?.values).toMatchObject([{ histogram: { count: 5, positiveBuckets: [5] } }])
  })

  test('are missing where all is missing', () => {
    const [one] = histograms('h_bucket{le="+Inf"} _ 5')
    expect(one?.values.map(({ kind }) => kind)).toEqual(['missing', 'histogram'])
  })

  test('ignore bounds that are no numbers', () => {
    expect(histograms('h_bucket{le="many"} 1', 'h_bucket{le="NaN"} 1', 'h_bucket 1')).toEqual([])
  })

  test.each<[string, string[]]>([
    ['count is not cumulative: 1 < 2 at le=2', ['h_bucket{le="1"} 2', 'h_bucket{le="2"} 1']],
    ['count is not cumulative: -1 < 0 at le=1', ['h_bucket{le="1"} -1', 'h_count 1']],
    ['count mismatch: count=3 != le=+Inf count=2', ['h_bucket{le="+Inf"} 2', 'h_count 3']],
    ['count must be provided when no buckets are present', ['h_sum 2']],
  ])('are refused: %s', (message, lines) => {
    expect(() => histograms(...lines)).toThrow(message)
  })
})
