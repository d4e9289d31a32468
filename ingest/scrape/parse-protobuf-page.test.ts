import { describe, expect, test } from 'vitest'
import {
  encodeMetricFamilies,
  labelPairsOf,
  type MetricFamily,
} from '../../test/support/encode-metric-families.ts'
import { seededRandom } from '../../test/support/seeded-random.ts'
import type { ExposedSample } from './exposition.ts'
import { parseProtobufPage } from './parse-protobuf-page.ts'

const NATIVE = { isNativeWanted: true, isClassicKept: false }
const CLASSIC = { isNativeWanted: false, isClassicKept: false }
const BOTH = { isNativeWanted: true, isClassicKept: true }

const stamp = (seconds: number, nanos = 0) => ({ seconds, nanos })
const exemplar = (id: string, value: number, timestamp?: object) => ({
  label: labelPairsOf({ trace_id: id }),
  value,
  ...(timestamp === undefined ? {} : { timestamp }),
})
const HISTOGRAM = {
  sampleCount: 7,
  sampleSum: 5.5,
  createdTimestamp: stamp(1000, 999_999_999),
  bucket: [
    { cumulativeCount: 2, upperBound: 0.25, exemplar: exemplar('b1', 0.2) },
    { cumulativeCount: 5, upperBound: 1, exemplar: exemplar('b2', 0.9, stamp(12, 345_678_901)) },
    { cumulativeCount: 6, upperBound: 1e6 },
  ],
  schema: 2,
  zeroThreshold: 0.001,
  zeroCount: 1,
  positiveSpan: [
    { offset: -1, length: 2 },
    { offset: 3, length: 1 },
  ],
  positiveDelta: [1, 1, -1],
  negativeSpan: [{ offset: 0, length: 1 }],
  negativeDelta: [2],
}

function texts(samples: readonly ExposedSample[]): string[] {
  return samples.map(({ labels, value, timestampMs, startMs, histogram }) => {
    const [[, name = ''] = [], ...rest] = labels?.() ?? []
    const inside = rest.map((label) => label.join('=')).join(',')
    const kind = histogram === null ? '' : ' native'
    return `${name}{${inside}}${kind} ${value}${timestampMs === null ? '' : ` @${timestampMs}`}${startMs === 0 ? '' : ` from ${startMs}`}`
  })
}

function parse(families: readonly MetricFamily[], wanted = NATIVE) {
  const [unpacked, packed] = [false, true].map((isPacked) =>
    parseProtobufPage(encodeMetricFamilies(families, isPacked), wanted),
  )
  expect(packed).toEqual({
    ...unpacked,
    samples: unpacked?.samples.map((sample) => ({ ...sample, labels: expect.any(Function) })),
  })
  return unpacked as NonNullable<typeof unpacked>
}

describe('parseProtobufPage', () => {
  test('counters, gauges, untyped values and summaries', () => {
    const { samples, metadata } = parse([
      {
        name: 'requests_total',
        help: 'Requests "ü".',
        type: 'COUNTER',
        metric: [
          {
            label: labelPairsOf({ code: '200', empty: '' }),
            counter: {
              value: 3,
              exemplar: exemplar('c', 1, stamp(7)),
              createdTimestamp: stamp(1, 500_000_000),
            },
          },
          { label: labelPairsOf({ code: '503' }), counter: { value: 1e300 }, timestampMs: 1234 },
        ],
      },
      { name: 'nothing', help: 'A family without metrics.', type: 'GAUGE' },
      { name: 'my.gauge', type: 'GAUGE', metric: [{ gauge: { value: -0.5 } }], unit: '' },
      { name: 'up_seconds', type: 'UNTYPED', unit: 'seconds', metric: [{ untyped: { value: Number.NaN } }] },
      {
        name: 'wait',
        type: 'SUMMARY',
        metric: [
          {
            label: labelPairsOf({ 'röute.x': '/' }),
            summary: {
              sampleCount: 4,
              sampleSum: 2.5,
              quantile: [
                { quantile: 0.5, value: 0.1 },
                { quantile: 1, value: Number.NaN },
              ],
              createdTimestamp: stamp(2),
            },
          },
        ],
      },
    ])
    expect(texts(samples)).toEqual([
      'requests_total{code=200,empty=} 3 from 1500',
      'requests_total{code=503} 1e+300 @1234',
      'my.gauge{} -0.5',
      'up_seconds{} NaN',
      'wait_count{röute.x=/} 4 from 2000',
      'wait_sum{röute.x=/} 2.5 from 2000',
      'wait{röute.x=/,quantile=0.5} 0.1 from 2000',
      'wait{röute.x=/,quantile=1.0} NaN from 2000',
    ])
    expect(samples[0]?.exemplars).toEqual([{ labels: [['trace_id', 'c']], value: 1, timestampMs: 7000 }])
    expect([...metadata]).toEqual([
      ['requests_total', { type: 'counter', help: 'Requests "ü".', unit: '' }],
      ['my.gauge', { type: 'gauge', help: '', unit: '' }],
      ['up_seconds', { type: 'unknown', help: '', unit: 'seconds' }],
      ['wait', { type: 'summary', help: '', unit: '' }],
    ])
    expect(new Set(samples.map(({ series }) => series)).size).toBe(samples.length)
  })

  const family = (histogram: object, type = 'HISTOGRAM'): MetricFamily => ({
    name: 'rpc',
    type,
    metric: [{ label: labelPairsOf({ a: 'b' }), histogram }],
  })
  const CLASSIC_TEXTS = [
    'rpc_count{a=b} 7 from 1000999',
    'rpc_sum{a=b} 5.5 from 1000999',
    'rpc_bucket{a=b,le=0.25} 2 from 1000999',
    'rpc_bucket{a=b,le=1.0} 5 from 1000999',
    'rpc_bucket{a=b,le=1e+06} 6 from 1000999',
    'rpc_bucket{a=b,le=+Inf} 7 from 1000999',
  ]

  test('a histogram that is native and classic', () => {
    const native = parse([family(HISTOGRAM)]).samples
    expect(texts(native)).toEqual(['rpc{a=b} native 5.5 from 1000999'])
    expect(native[0]?.histogram).toEqual({
      schema: 2,
      zeroThreshold: 0.001,
      zeroCount: 1,
      count: 7,
      sum: 5.5,
      positiveSpans: HISTOGRAM.positiveSpan,
      positiveBuckets: [1, 2, 1],
      negativeSpans: HISTOGRAM.negativeSpan,
      negativeBuckets: [2],
      customValues: [],
      counterResetHint: 'unknown',
      isInteger: true,
    })
    // Of the classic buckets' exemplars those with a time.
    expect(native[0]?.exemplars).toEqual([{ labels: [['trace_id', 'b2']], value: 0.9, timestampMs: 12_345 }])

    const classic = parse([family(HISTOGRAM)], CLASSIC).samples
    expect(texts(classic)).toEqual(CLASSIC_TEXTS)
    expect(classic.map(({ exemplars }) => exemplars.map(({ labels }) => labels[0]?.[1]))).toEqual([
      [],
      [],
      ['b1'],
      ['b2'],
      [],
      [],
    ])
    const both = parse([family(HISTOGRAM)], BOTH).samples
    expect(texts(both)).toEqual([...texts(native), ...CLASSIC_TEXTS])
    expect(new Set(both.map(({ series }) => series)).size).toBe(7)
  })

  test('a histogram of floats, of a gauge, with exemplars of its own', () => {
    const { samples } = parse([
      family(
        {
          sampleCountFloat: 4.5,
          sampleCount: 99,
          sampleSum: 1,
          zeroCountFloat: 0.5,
          positiveSpan: [{ offset: 3, length: 1 }],
          positiveCount: [4],
          bucket: HISTOGRAM.bucket,
          exemplars: [
            exemplar('x', 1),
            exemplar('y', 2, stamp(3)),
            exemplar('z', 3, stamp(4)),
            exemplar('w', 4),
          ],
        },
        'GAUGE_HISTOGRAM',
      ),
    ])
    expect(samples[0]?.histogram).toMatchObject({
      count: 4.5,
      zeroCount: 0.5,
      positiveBuckets: [4],
      isInteger: false,
      counterResetHint: 'gauge',
    })
    expect(samples[0]?.exemplars.map(({ labels, timestampMs }) => [labels[0]?.[1], timestampMs])).toEqual([
      ['y', 3000],
      ['z', 4000],
    ])
  })

  test.each<[string, object, readonly string[]]>([
    [
      'an empty span says that it is native',
      { sampleCount: 0, positiveSpan: [{ offset: 0, length: 0 }] },
      ['rpc{a=b} native 0'],
    ],
    ['so does a zero bucket', { sampleCount: 0, zeroThreshold: 1e-9 }, ['rpc{a=b} native 0']],
    [
      'without either it is classic',
      { sampleCount: 3, sampleSum: 1 },
      ['rpc_count{a=b} 3', 'rpc_sum{a=b} 1', 'rpc_bucket{a=b,le=+Inf} 3'],
    ],
    [
      'with a last bucket of its own, in floats',
      {
        sampleCountFloat: 2.5,
        bucket: [{ cumulativeCountFloat: 2.5, upperBound: Number.POSITIVE_INFINITY }, { upperBound: 9 }],
      },
      ['rpc_count{a=b} 2.5', 'rpc_sum{a=b} 0', 'rpc_bucket{a=b,le=+Inf} 2.5'],
    ],
  ])('%s', (_what, histogram, expected) => {
    expect(texts(parse([family(histogram)]).samples)).toEqual(expected)
  })

  test.each<[string, MetricFamily, string]>([
    ['no name', { metric: [{}] }, 'a family has no name'],
    [
      'a unit that is not in the name',
      { name: 'x_seconds_total', unit: 'bytes', type: 'COUNTER', metric: [{}] },
      'the unit "bytes" is not the end of the name "x_seconds_total"',
    ],
    [
      'a label without a name',
      { name: 'x', metric: [{ label: [{ value: 'v' }] }] },
      'a label without a name',
    ],
    [
      'a label twice',
      { name: 'x', metric: [{ label: [{ name: 'a' }, { name: 'a' }] }] },
      'a metric of "x" has the label "a" twice',
    ],
    [
      'a label that names the metric',
      { name: 'x', metric: [{ label: [{ name: '__name__', value: 'y' }] }] },
      'has the label "__name__" twice',
    ],
    [
      'a bound among the labels',
      { name: 'x', type: 'HISTOGRAM', metric: [{ label: labelPairsOf({ le: '1' }), histogram: {} }] },
      'a le stands among the labels of "x"',
    ],
  ])('%s fails the page', (_what, wrong, message) => {
    const fine = { name: 'fine', metric: [{ counter: { value: 1 } }] }
    expect(() => parse([fine, wrong])).toThrow(message)
  })

  test('bytes that are no page', () => {
    const page = encodeMetricFamilies([family(HISTOGRAM)])
    const read = (...bytes: readonly number[]) => parseProtobufPage(Buffer.from(bytes), NATIVE)
    expect(read()).toEqual({ samples: [], metadata: new Map() })
    expect(() => read(5, 0x0a, 1)).toThrow(expect.objectContaining({ code: 'MALFORMED_MESSAGE' }))
    // A name with a wire type that is not its own, one that is not UTF-8, a type that there is not, a length of 4 GiB.
    expect(() => read(2, 0x08, 1)).toThrow('wire type')
    expect(() => read(5, 0x0a, 1, 0xff, 0x22, 0)).toThrow('the name of a family is not valid UTF-8')
    expect(() => read(2, 0x18, 6)).toThrow('6 is not the type of a family')
    expect(() => read(0xff, 0xff, 0xff, 0xff, 0x0f)).toThrow('longer than the message')
    for (let end = 1; end < page.length; end++) {
      expect(() => parseProtobufPage(page.subarray(0, end), NATIVE)).toThrow(
        expect.objectContaining({ code: 'MALFORMED_MESSAGE' }),
      )
    }
  })

  test('small parts without end are refused before they fill the memory', () => {
    const messages = (tag: number, count: number) => Buffer.alloc(count * 2, Buffer.from([tag, 0]))
    const field = (tag: number, content: Uint8Array) => {
      const length: number[] = []
      let rest = content.length
      for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128)
      return Buffer.concat([Buffer.from([tag, ...length, rest]), content])
    }
    const page = (type: number, metric: Uint8Array) =>
      field(0, Buffer.concat([Buffer.from([0x0a, 1, 0x78, 0x18, type]), metric])).subarray(1)
    const parts =
      (metric: Uint8Array, type = 4) =>
      () =>
        parseProtobufPage(page(type, metric), BOTH)
    for (const tag of [0x1a, 0x4a, 0x62]) {
      expect(parts(field(0x22, field(0x3a, messages(tag, 70_000))))).toThrow('more than 65536 of its parts')
    }
    expect(parts(messages(0x22, 1_100_000), 1)).toThrow('more than 1000000 samples for its size')
    const labels = Array.from({ length: 200 }, (_, at) => field(0x0a, field(0x0a, Buffer.from(`l${at}`))))
    const wide = Buffer.concat([...labels, field(0x3a, messages(0x1a, 30_000))])
    expect(parts(field(0x22, wide))).toThrow('more than 4000000 labels for its size')
  })

  test('spoilt pages are refused or read, never anything else', () => {
    const page = encodeMetricFamilies([
      family(HISTOGRAM),
      { name: 'c_total', metric: [{ label: labelPairsOf({ x: 'ü' }), counter: { value: 1 } }] },
    ])
    const random = seededRandom(7)
    let read = 0
    for (let turn = 0; turn < 20_000; turn++) {
      const spoilt = Buffer.from(page)
      for (let at = 0; at < 1 + (turn % 3); at++) spoilt[random.below(page.length)] = random.below(256)
      try {
        parseProtobufPage(spoilt, BOTH)
        read++
      } catch (error) {
        expect(error).toMatchObject({ code: 'MALFORMED_MESSAGE' })
      }
    }
    expect(read).toBeGreaterThan(100)
    expect(read).toBeLessThan(20_000)
  })
})
