import { describe, expect, test } from 'vitest'
import type { KeyValue } from '../../model/any-value.ts'
import { decodeInto, readBlocks } from '../../test/support/decode-message.ts'
import { lengthDelimited, metricsMessage, sumMetric } from '../../test/support/metric-messages.ts'
import { encodeMessage, type OtlpJson } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { createSeriesLimiter } from '../series-limit/create-series-limiter.ts'
import { createTelemetryBlocks, type TelemetryBlocks } from './telemetry-blocks.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const DAY = 86_400_000

function point(attributes: readonly KeyValue[], ms = NOW): OtlpJson {
  return { timeUnixNano: String(BigInt(ms) * 1_000_000n), asInt: '1', attributes }
}

const A = text('a', '1')
const B = text('b', '2')

function newBlocks(): TelemetryBlocks {
  return createTelemetryBlocks({ maxAttributes: 128 })
}

function decode(
  blocks: TelemetryBlocks,
  message: Uint8Array,
  options: { tenant?: string; now?: number } = {},
): void {
  decodeInto(blocks, 'metrics', message, { now: NOW, ...options })
}

function seriesRows(blocks: TelemetryBlocks) {
  return readBlocks(blocks)['metric_series'] ?? []
}

/** The ids of the points of these messages, decoded one after the other. */
function pointIds(...messages: readonly Uint8Array[]): unknown[] {
  const blocks = newBlocks()
  for (const message of messages) decode(blocks, message)
  return (readBlocks(blocks)['otlp_points'] ?? []).map((row) => row['series'])
}

describe('the id of a series', () => {
  const base = metricsMessage([sumMetric([point([A, B])])])

  test.each<[string, Uint8Array]>([
    ['the order of attributes', metricsMessage([sumMetric([point([B, A])])])],
    ['a value that a repeated key had before', metricsMessage([sumMetric([point([text('a', '0'), A, B])])])],
    ['the description', metricsMessage([sumMetric([point([A, B])], { description: 'else' })])],
    ['metadata', metricsMessage([sumMetric([point([A, B])], { metadata: [A] })])],
  ])('does not depend on %s', (_name, other) => {
    const [first, second] = pointIds(base, other)
    expect(second).toBe(first)
    expect(first).not.toBe('00'.repeat(16))
  })

  test.each<[string, Uint8Array]>([
    ['the name', metricsMessage([sumMetric([point([A, B])], { name: 'else' })])],
    ['the unit', metricsMessage([sumMetric([point([A, B])], { unit: 's' })])],
    ['the value of an attribute', metricsMessage([sumMetric([point([A, text('b', '3')])])])],
    [
      'the type of an attribute',
      metricsMessage([sumMetric([point([A, { key: 'b', value: { intValue: '2' } }])])]),
    ],
    ['an attribute more', metricsMessage([sumMetric([point([A, B, text('c', '')])])])],
    ['an attribute less', metricsMessage([sumMetric([point([A])])])],
    ['the resource', metricsMessage([sumMetric([point([A, B])])], { attributes: [A] })],
    ['the scope', metricsMessage([sumMetric([point([A, B])])], {}, { name: 'else' })],
    [
      'temporality',
      metricsMessage([
        {
          name: 'requests',
          sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [point([A, B])] },
        },
      ]),
    ],
    [
      'monotonicity',
      metricsMessage([{ name: 'requests', sum: { aggregationTemporality: 2, dataPoints: [point([A, B])] } }]),
    ],
    ['the type', metricsMessage([{ name: 'requests', gauge: { dataPoints: [point([A, B])] } }])],
  ])('depends on %s', (_name, other) => {
    const [first, second] = pointIds(base, other)
    expect(second).not.toBe(first)
  })

  test('is the same in another process, where the interners have another seed', () => {
    expect(pointIds(base)).toEqual(pointIds(base))
  })

  test('is the same when attributes and other fields take turns on the wire', () => {
    const part = (fields: OtlpJson) => Buffer.from(encodeMessage('NumberDataPoint', fields))
    const { timeUnixNano } = point([])
    const body = Buffer.concat([
      part({ attributes: [A] }),
      part({ timeUnixNano }),
      part({ attributes: [B] }),
      part({ asInt: '1' }),
    ])
    const sum = Buffer.concat([
      lengthDelimited(1, body),
      Buffer.from(encodeMessage('Sum', { aggregationTemporality: 2, isMonotonic: true })),
    ])
    const metric = Buffer.concat([lengthDelimited(1, Buffer.from('requests')), lengthDelimited(7, sum)])
    const message = lengthDelimited(1, lengthDelimited(2, lengthDelimited(2, metric)))
    // The other message has an empty resource and scope instead of none: the same origin.
    expect(pointIds(message)).toEqual(pointIds(base))
  })
})

describe('a series is told once', () => {
  const message = metricsMessage([sumMetric([point([A]), point([A])])])

  test('a day and tenant', () => {
    const blocks = newBlocks()
    for (const tenant of ['a', 'b', 'a']) decode(blocks, message, { tenant })
    expect(seriesRows(blocks).map((row) => row['tenant'])).toEqual(['a', 'b'])
    decode(blocks, message, { tenant: 'a', now: NOW + DAY - 3 * 3_600_000 })
    const days = seriesRows(blocks).map((row) => row['day'])
    expect(days).toEqual([days[0], days[0], Number(days[0]) + 1])
  })

  test('and again when its description changes', () => {
    const blocks = newBlocks()
    const described = metricsMessage([sumMetric([point([A])], { description: 'now with words' })])
    for (const sent of [message, described, message, described]) decode(blocks, sent)
    expect(seriesRows(blocks).map((row) => row['description'])).toEqual(['', 'now with words'])
  })

  test('and again after its message was malformed, while others are not', () => {
    const blocks = newBlocks()
    const other = metricsMessage([sumMetric([point([B])])])
    decode(blocks, other)
    expect(() => decode(blocks, Buffer.concat([message, Buffer.from([0x0a, 5])]))).toThrow(/Cannot decode/)
    expect(seriesRows(blocks)).toHaveLength(1)
    decode(blocks, message)
    decode(blocks, other)
    expect(seriesRows(blocks).map((row) => row['attrs'])).toEqual([[['b', '2']], [['a', '1']]])
  })

  test('and again after its batch was lost, but not after it was written', () => {
    const blocks = newBlocks()
    decode(blocks, message)
    blocks.reset(true)
    decode(blocks, message)
    expect(seriesRows(blocks)).toEqual([])
    blocks.reset(false)
    decode(blocks, message)
    expect(seriesRows(blocks)).toHaveLength(1)
  })

  test('even after the interners start anew', () => {
    const blocks = newBlocks()
    decode(blocks, message)
    const [id] = pointIds(message)
    const many = Array.from({ length: 200_001 }, (_, index) => ({
      name: `m${index}`,
      gauge: { dataPoints: [point([])] },
    }))
    decode(blocks, metricsMessage(many))
    blocks.reset(true)
    decode(blocks, message)
    expect(seriesRows(blocks)).toEqual([])
    const points = readBlocks(blocks)['otlp_points'] ?? []
    expect(points.map((row) => [row['tenant'], row['metric'], row['series']])).toEqual([
      ['default', 'requests', id],
      ['default', 'requests', id],
    ])
  })
})

describe('a limit of series', () => {
  function limitedTo(perMetric: number) {
    const asked: string[] = []
    const limiter = createSeriesLimiter({
      limit: { global: 0, perMetric },
      askKnown: () => undefined,
      onRefused: ({ metric }) => void asked.push(metric),
    })
    const blocks = createTelemetryBlocks({ maxAttributes: 128, limiter })
    blocks.begin('default', Math.floor(NOW / DAY))
    limiter.learn({
      tenant: 'default',
      metrics: [],
      ends: new Float64Array(0),
      ids: new BigUint64Array(0),
    })
    return { blocks, asked }
  }
  const points = (...values: readonly string[]) =>
    metricsMessage([sumMetric(values.map((value) => point([text('a', value)])))])

  test('refuses points of new series and takes those of others', () => {
    const { blocks, asked } = limitedTo(2)
    const first = decodeInto(blocks, 'metrics', points('1', '2', '3', '1'), { now: NOW, tenant: 'default' })
    expect([...first.reasons]).toEqual([['series_limit', 1]])
    expect(first.accepted).toBe(3)
    expect(seriesRows(blocks)).toHaveLength(2)
    expect(asked).toEqual(['requests_total'])
    blocks.reset(true)
    // Nobody is asked again about the same series.
    const second = decodeInto(blocks, 'metrics', points('3', '3'), { now: NOW, tenant: 'default' })
    expect([...second.reasons]).toEqual([['series_limit', 2]])
    expect(asked).toHaveLength(1)
    const after = metricsMessage([sumMetric([point([text('a', '3')], NOW + 2 * DAY)])])
    const later = decodeInto(blocks, 'metrics', after, { now: NOW + 2 * DAY, tenant: 'default' })
    expect([...later.reasons]).toEqual([])
    expect(later.accepted).toBe(1)
  })

  test('does not count series of a message of which nothing was written', () => {
    const { blocks } = limitedTo(1)
    decodeInto(blocks, 'metrics', points('1'), { now: NOW, tenant: 'default' })
    blocks.rollback()
    const outcome = decodeInto(blocks, 'metrics', points('2', '1'), { now: NOW, tenant: 'default' })
    expect(outcome.accepted).toBe(1)
  })
})
