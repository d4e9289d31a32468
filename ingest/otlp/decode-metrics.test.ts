import { describe, expect, test } from 'vitest'
import { decodeInto, decodeMessageRows, readBlocks } from '../../test/support/decode-message.ts'
import { EVERY_ATTRIBUTE } from '../../test/support/every-attribute.ts'
import { lengthDelimited, metricsMessage, sumMetric } from '../../test/support/metric-messages.ts'
import { encodeMessage, type OtlpJson } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { createTelemetryBlocks } from './telemetry-blocks.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const DAY = 86_400_000

const nanos = (ms: number): string => String(BigInt(ms) * 1_000_000n)

function point(fields: OtlpJson = {}): OtlpJson {
  return { timeUnixNano: nanos(NOW), asInt: '1', ...fields }
}

function histogramPoint(
  bucketCounts: readonly string[],
  explicitBounds: readonly (number | string)[],
): OtlpJson {
  return { timeUnixNano: nanos(NOW), bucketCounts, explicitBounds }
}

function decode(metrics: readonly OtlpJson[], maxAttributes = 128) {
  return decodeMessageRows('metrics', metricsMessage(metrics), { now: NOW, maxAttributes })
}

/** One metric, given as its encoded `Metric` message. */
function wrapMetric(metric: Uint8Array): Buffer {
  return lengthDelimited(1, lengthDelimited(2, lengthDelimited(2, metric)))
}

describe('what is refused, with its neighbours kept', () => {
  const deep = (depth: number): OtlpJson => (depth === 0 ? {} : { arrayValue: { values: [deep(depth - 1)] } })
  const deepAttributes = [{ key: 'a', value: deep(33) }]

  test.each<[string, OtlpJson, string]>([
    ['no time', { timeUnixNano: '0' }, 'no_time'],
    ['a time before retention', { timeUnixNano: nanos(NOW - DAY - 1) }, 'too_old'],
    ['a time in the future', { timeUnixNano: nanos(NOW + DAY + 1) }, 'in_future'],
    ['an attribute nested too deeply', { attributes: deepAttributes }, 'too_deep'],
    [
      'an exemplar nested too deeply',
      { exemplars: [{}, { filteredAttributes: deepAttributes }] },
      'too_deep',
    ],
    [
      'more attributes than the limit',
      { attributes: ['a', 'b', 'c', 'd'].map((key) => text(key, key)) },
      'too_many_attributes',
    ],
  ])('a point: %s', (_name, fields, reason) => {
    const { outcome, tables } = decode([sumMetric([point(), point(fields), point({ asInt: '2' })])], 3)
    expect(outcome).toMatchObject({ accepted: 2, rejected: 1 })
    expect([...outcome.reasons]).toEqual([[reason, 1]])
    expect(tables['otlp_points']?.map((row) => row['int_value'])).toEqual([1n, 2n])
    expect(tables['metric_series']).toHaveLength(1)
    expect(tables['metric_exemplars']).toBeUndefined()
  })

  test('the same refused attributes, every time they come', () => {
    const bad = point({ attributes: deepAttributes })
    const { outcome } = decode([sumMetric([bad, bad, point(), bad])])
    expect([...outcome.reasons]).toEqual([['too_deep', 3]])
  })

  test.each<[string, OtlpJson]>([
    ['one count too few', histogramPoint(['1', '2'], [1, 2])],
    ['one count too many', histogramPoint(['1', '2', '3', '4'], [1, 2])],
    ['bounds without counts', histogramPoint([], [1])],
    ['bounds that fall', histogramPoint(['1', '2', '3'], [2, 1])],
    ['bounds that repeat', histogramPoint(['1', '2', '3'], [1, 1])],
    ['a bound that is no number', histogramPoint(['1', '2'], ['NaN'])],
  ])('a histogram: %s', (_name, bad) => {
    const good = histogramPoint(['1', '2', '3'], [1, 2])
    const { outcome, tables } = decode([{ name: 'h', histogram: { dataPoints: [good, bad, good] } }])
    expect([...outcome.reasons]).toEqual([['bounds', 1]])
    expect(tables['otlp_histograms']).toHaveLength(2)
  })

  test('not: a histogram of one bucket, and one of none', () => {
    const dataPoints = [histogramPoint(['7'], []), histogramPoint([], [])]
    const { outcome, tables } = decode([{ name: 'h', histogram: { dataPoints } }])
    expect(outcome).toMatchObject({ accepted: 2, rejected: 0 })
    expect(tables['otlp_histograms']?.map((row) => row['counts'])).toEqual([[7n], []])
  })

  test.each<[string, OtlpJson, string, number]>([
    ['without data', { name: 'm' }, 'no_data', 1],
    ['without a name', sumMetric([point(), point()], { name: '' }), 'no_name', 2],
    [
      'with metadata nested too deeply',
      sumMetric([point(), point()], { metadata: deepAttributes }),
      'too_deep',
      2,
    ],
  ])('a metric %s', (_name, bad, reason, count) => {
    const { outcome } = decode([sumMetric([point()]), bad, sumMetric([point()])])
    expect(outcome).toMatchObject({ accepted: 2, rejected: count })
    expect([...outcome.reasons]).toEqual([[reason, count]])
  })

  test('a metric of a resource that is nested too deeply: every point counts', () => {
    const message = metricsMessage([sumMetric([point(), point()])], { attributes: deepAttributes })
    const { outcome, tables } = decodeMessageRows('metrics', message, { now: NOW })
    expect([...outcome.reasons]).toEqual([['too_deep', 2]])
    expect(tables).toEqual({})
  })

  test('not: a metric without points', () => {
    expect(decode([sumMetric([])]).outcome).toMatchObject({ accepted: 0, rejected: 0 })
  })
})

describe('the wire', () => {
  test('repeated numbers may be packed or not', () => {
    const counts = [1n, 300n, 2n ** 64n - 1n]
    const fixed = (value: bigint) => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64LE(value)
      return bytes
    }
    const head = encodeMessage('HistogramDataPoint', { timeUnixNano: nanos(NOW), explicitBounds: [1, 2] })
    const unpacked = counts.map((count) => Buffer.concat([Buffer.from([(6 << 3) | 1]), fixed(count)]))
    const packedTail = lengthDelimited(6, Buffer.concat(counts.slice(1).map(fixed)))
    const [first = Buffer.alloc(0)] = unpacked
    for (const body of [Buffer.concat([head, ...unpacked]), Buffer.concat([first, head, packedTail])]) {
      const name = Buffer.from('h')
      const metric = Buffer.concat([lengthDelimited(1, name), lengthDelimited(9, lengthDelimited(1, body))])
      const { tables } = decodeMessageRows('metrics', wrapMetric(metric), { now: NOW })
      expect(tables['otlp_histograms']?.[0]?.['counts']).toEqual(counts)
    }
    // Varints of an exponential histogram's buckets: one by one, then the rest in a pack.
    const buckets = Buffer.from([(2 << 3) | 0, 5, (2 << 3) | 2, 3, 6, 0xac, 0x02])
    const time = encodeMessage('ExponentialHistogramDataPoint', { timeUnixNano: nanos(NOW) })
    const data = lengthDelimited(10, lengthDelimited(1, Buffer.concat([time, lengthDelimited(8, buckets)])))
    const metric = Buffer.concat([lengthDelimited(1, Buffer.from('e')), data])
    const { tables } = decodeMessageRows('metrics', wrapMetric(metric), { now: NOW })
    expect(tables['otlp_exponential_histograms']?.[0]?.['positive_counts']).toEqual([5n, 6n, 300n])
  })

  test('a pack that ends inside a number is malformed', () => {
    const body = Buffer.concat([
      encodeMessage('HistogramDataPoint', { timeUnixNano: nanos(NOW) }),
      lengthDelimited(6, Buffer.alloc(12)),
    ])
    const metric = Buffer.concat([
      lengthDelimited(1, Buffer.from('h')),
      lengthDelimited(9, lengthDelimited(1, body)),
    ])
    expect(() => decodeMessageRows('metrics', wrapMetric(metric), { now: NOW })).toThrow(
      /ends inside a number/,
    )
  })

  test('the name may come behind the data, the data in two parts', () => {
    const gauge = (value: string) =>
      encodeMessage('Metric', { gauge: { dataPoints: [point({ asInt: value })] } })
    const metric = Buffer.concat([
      gauge('1'),
      gauge('2'),
      encodeMessage('Metric', { name: 'late', unit: 's' }),
    ])
    const { tables, outcome } = decodeMessageRows('metrics', wrapMetric(metric), { now: NOW })
    expect(outcome.accepted).toBe(2)
    expect(tables['otlp_points']?.map((row) => [row['metric'], row['int_value']])).toEqual([
      ['late', 1n],
      ['late', 2n],
    ])
    expect(tables['metric_series']).toHaveLength(1)
  })

  test('of two kinds of data the last one counts', () => {
    const one = encodeMessage('Metric', { name: 'm', gauge: { dataPoints: [point()] } })
    const metric = Buffer.concat([
      one,
      encodeMessage('Metric', sumMetric([point({ asInt: '5' })], { name: 'm' })),
    ])
    const { tables } = decodeMessageRows('metrics', wrapMetric(metric), { now: NOW })
    expect(tables['otlp_points']?.map((row) => row['int_value'])).toEqual([5n])
    expect(tables['metric_series']?.map((row) => row['type'])).toEqual([2])
  })

  test('the bits of a NaN are kept', () => {
    const bytes = Buffer.from(
      metricsMessage([{ name: 'm', gauge: { dataPoints: [{ timeUnixNano: nanos(NOW), asDouble: 1.5 }] } }]),
    )
    const body = Buffer.alloc(8)
    body.writeDoubleLE(1.5)
    // A signalling NaN, which JavaScript's own numbers would not carry: Prometheus' stale marker.
    Buffer.from('020000000000f07f', 'hex').copy(bytes, bytes.indexOf(body))
    const { tables } = decodeMessageRows('metrics', bytes, { now: NOW })
    expect(tables['otlp_points']?.[0]).toMatchObject({ value_kind: 'd', value: '020000000000f07f' })
  })
})

test('a malformed message leaves nothing behind, and what follows is whole', () => {
  const blocks = createTelemetryBlocks({ maxAttributes: 128 })
  const attributes = EVERY_ATTRIBUTE
  const metrics = [
    sumMetric([point({ attributes, exemplars: [{ asInt: '1' }] })]),
    { name: 'h', histogram: { dataPoints: [histogramPoint(['1', '2'], [1])] } },
    {
      name: 'e',
      exponentialHistogram: { dataPoints: [{ timeUnixNano: nanos(NOW), positive: { bucketCounts: ['1'] } }] },
    },
    { name: 's', summary: { dataPoints: [{ timeUnixNano: nanos(NOW), quantileValues: [{ quantile: 1 }] }] } },
  ]
  const good = metricsMessage(metrics, { attributes: [text('service.name', 'cart')] })
  decodeInto(blocks, 'metrics', metricsMessage([sumMetric([point()])]), { now: NOW })
  const before = readBlocks(blocks)
  const broken = Buffer.concat([good, Buffer.from([0x0a, 0x05])])
  expect(() => decodeInto(blocks, 'metrics', broken, { now: NOW })).toThrow(
    /Cannot decode the protobuf message/,
  )
  expect(readBlocks(blocks)).toEqual(before)

  decodeInto(blocks, 'metrics', good, { now: NOW })
  const after = readBlocks(blocks)
  const alone = decodeMessageRows('metrics', good, { now: NOW }).tables
  for (const [table, rows] of Object.entries(alone)) {
    expect(after[table]?.slice(table === 'attribute_keys' ? 0 : before[table]?.length), table).toEqual(rows)
  }
  expect(Object.keys(alone)).toHaveLength(9)
})
