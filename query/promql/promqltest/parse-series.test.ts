import { describe, expect, test } from 'vitest'
import { parseSeries, parseValues, type SequenceValue } from './parse-series.ts'

function floats(values: readonly SequenceValue[]): unknown[] {
  return values.map((value) => (value.kind === 'float' ? value.value : value.kind))
}

describe('series in the notation of tests', () => {
  test.each<[string, unknown[]]>([
    ['1 2 3', [1, 2, 3]],
    ['-1 +2 .5 1e3 1.', [-1, 2, 0.5, 1000, 1]],
    ['Inf -inf NaN', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]],
    ['1_000 1_0.2_5+1_0x1', [1000, 10.25, 20.25]],
    ['1x3', [1, 1, 1, 1]],
    ['1+2x3', [1, 3, 5, 7]],
    ['-1-2x1', [-1, -3]],
    ['0.1+0.1x3', [0.1, 0.2, 0.30000000000000004, 0.4]],
    ['_ 1 _x3 stale', ['missing', 1, 'missing', 'missing', 'missing', 'stale']],
    ['_x0 1x0', [1]],
    ['', []],
  ])('reads %j', (text, expected) => {
    expect(floats(parseValues(text))).toEqual(expected)
  })

  test.each<[string, string[]]>([
    ['up 1', ['__name__', 'up']],
    ['up{job="a}b",instance=\'c\'} 1', ['__name__', 'up', 'instance', 'c', 'job', 'a}b']],
    ['{} 1', []],
    ['{__name__="up"} 1', ['__name__', 'up']],
    ['{"http.requests", "a.b"="c"} 1', ['__name__', 'http.requests', 'a.b', 'c']],
    ['sum 1', ['__name__', 'sum']],
    ['a{sum="x",} 1', ['__name__', 'a', 'sum', 'x']],
  ])('reads the labels of %j', (text, expected) => {
    const { labels, values } = parseSeries(text)
    expect(labels).toEqual(expected)
    expect(floats(values)).toEqual([1])
  })

  test('reads native histograms', () => {
    const { values } = parseSeries(
      'h {{schema:1 sum:-0.3 count:32.1 z_bucket:7.1 z_bucket_w:0.05 buckets:[5.1 10 7] offset:-3 n_buckets:[4.1 5] n_offset:-5 counter_reset_hint:gauge}}',
    )
    expect(values).toEqual([
      {
        kind: 'histogram',
        isHintSet: true,
        histogram: {
          schema: 1,
          sum: -0.3,
          count: 32.1,
          zeroCount: 7.1,
          zeroThreshold: 0.05,
          positiveSpans: [{ offset: -3, length: 3 }],
          positiveBuckets: [5.1, 10, 7],
          negativeSpans: [{ offset: -5, length: 2 }],
          negativeBuckets: [4.1, 5],
          customValues: [],
          counterResetHint: 'gauge',
        },
      },
    ])
  })

  test('adds histograms up', () => {
    const { values } = parseSeries(
      'h {{sum:3 count:2 buckets:[2]}}+{{sum:1 count:2 offset:1 buckets:[1 1]}}x2',
    )
    expect(
      values.map((value) => (value.kind === 'histogram' ? value.histogram.positiveBuckets : value.kind)),
    ).toEqual([[2], [2, 1, 1], [2, 2, 2]])
  })

  test('merges the buckets of a finer histogram', () => {
    const { values } = parseSeries('h {{schema:0 buckets:[1 1]}}+{{schema:1 buckets:[1 1 1 1]}}x1')
    const last = values.at(-1)
    // Buckets 0, 1, 2, 3 of schema 1 lie in 0, 1, 1, 2 of schema 0.
    expect(last?.kind === 'histogram' && last.histogram.positiveBuckets).toEqual([2, 3, 1])
  })

  test.each<[string, string]>([
    ['a 1+2', '1:3: parse error: unexpected "1+2" in series values'],
    ['a foo', '1:3: parse error: unexpected "foo" in series values'],
    ['a 1x', '1:3: parse error: unexpected "1x" in series values'],
    ['a 0x10 0xff', '1:8: parse error: unexpected "0xff" in series values'],
    ['up{job="a" 1', `1:12: parse error: unexpected character inside braces: '1'`],
    ['up{job="a"', '1:11: parse error: unexpected end of input inside braces'],
    ['up{job} 1', '1:7: parse error: unexpected "}" in label set, expected "="'],
    ['a {{sum:1', '1:3: parse error: histogram description incomplete unexpected: end of input'],
    ['a {{sum:1 sum:2}}', '1:11: parse error: duplicate key "sum" in histogram'],
    ['a {{foo:1}}', '1:5: parse error: bad histogram descriptor found: "foo"'],
    ['a {{sum:x}}', '1:5: parse error: error parsing sum of a histogram: "x"'],
    ['a {{}}+{{}}', '1:12: parse error: unexpected end of series values, expected "x"'],
    ['a 1x99999999', '1:3: parse error: a series has at most 5000000 values'],
  ])('refuses %j', (text, message) => {
    expect(() => parseSeries(text)).toThrow(expect.objectContaining({ code: 'QUERY_PARSE_FAILED', message }))
  })
})
