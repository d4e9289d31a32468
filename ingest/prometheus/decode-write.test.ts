import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { FloatHistogram } from '../../model/float-histogram.ts'
import { labelsFrom, labelsKey } from '../../model/labels.ts'
import { createProtobufWriter } from '../../runtime/protobuf-writer.ts'
import { decodeWriteRows } from '../../test/support/decode-write.ts'
import {
  encodeWriteRequest,
  type SentSeries,
  type WriteVersion,
} from '../../test/support/encode-write-request.ts'
import { createTelemetryBlocks } from '../otlp/telemetry-blocks.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const DAY = NOW / 86_400_000 - (NOW % 86_400_000) / 86_400_000
const DAY_MS = 86_400_000
const BOTH: readonly WriteVersion[] = [1, 2]

/** A double's bits as the rows of tests have them. */
function bits(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes.toString('hex')
}

function idOf(labels: readonly string[]): string {
  return createHash('sha256').update(labelsKey(labels)).digest('hex').slice(0, 32)
}

function labels(name: string, more: Readonly<Record<string, string>> = {}): readonly string[] {
  return labelsFrom(Object.entries({ ...more, __name__: name }))
}

const HISTOGRAM: FloatHistogram = {
  schema: -1,
  zeroThreshold: 0.25,
  zeroCount: 2,
  count: 12,
  sum: -1.5,
  positiveSpans: [
    { offset: -3, length: 2 },
    { offset: 2, length: 1 },
  ],
  positiveBuckets: [1, 4, 2],
  negativeSpans: [{ offset: 5, length: 2 }],
  negativeBuckets: [3, 0],
  customValues: [],
  counterResetHint: 'gauge',
}
const CUSTOM: FloatHistogram = {
  ...HISTOGRAM,
  schema: -53,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 7,
  positiveSpans: [{ offset: 1, length: 3 }],
  negativeSpans: [],
  negativeBuckets: [],
  customValues: [0.5, 1, 10],
  counterResetHint: 'not_reset',
}

describe.each(BOTH)('remote write %s.0', (version) => {
  const decode = (series: readonly SentSeries[], now = NOW) => decodeWriteRows(series, { version, now })

  test('samples: numbers to the bit, ends of series, the series once', () => {
    const up = labels('up', { job: 'cart', zone: 'ünïcode' })
    const { outcome, tables } = decode([
      {
        labels: up,
        samples: [
          { timestampMs: NOW - 3000, value: 0 },
          { timestampMs: NOW - 2000, value: Number.NaN },
          { timestampMs: NOW - 1000, value: -1e-300 },
          { timestampMs: NOW, isStale: true },
        ],
      },
      { labels: up, samples: [{ timestampMs: NOW, value: 1 }] },
    ])
    expect(outcome).toMatchObject({ accepted: 5, samples: 5, histograms: 0, rejected: 0, isEmpty: false })
    expect(tables['prom_series']).toEqual([
      {
        tenant: 'default',
        name: 'up',
        id: idOf(up),
        day: DAY,
        kind: 6,
        temporality: 0,
        is_monotonic: 0,
        metric: 'up',
        unit: '',
        description: '',
        labels: [
          ['job', 'cart'],
          ['zone', 'ünïcode'],
        ],
      },
    ])
    const row = { tenant: 'default', metric: 'up', series: idOf(up), start: 0n, is_stale: 0 }
    expect(tables['prom_samples']).toEqual([
      { ...row, ts: BigInt(NOW - 3000), value: bits(0) },
      { ...row, ts: BigInt(NOW - 2000), value: bits(Number.NaN) },
      { ...row, ts: BigInt(NOW - 1000), value: bits(-1e-300) },
      { ...row, ts: BigInt(NOW), value: '020000000000f07f', is_stale: 1 },
      { ...row, ts: BigInt(NOW), value: bits(1) },
    ])
    expect(Object.keys(tables).sort()).toEqual(['prom_samples', 'prom_series'])
  })

  test.each([true, false])('native histograms as counts; sent as integers: %s', (isInteger) => {
    const name = labels('rpc')
    const { outcome, tables } = decode([
      {
        labels: name,
        samples: [
          { timestampMs: NOW - 2, histogram: HISTOGRAM, isInteger },
          { timestampMs: NOW - 1, histogram: CUSTOM, isInteger },
          { timestampMs: NOW, histogram: HISTOGRAM, isInteger, isStale: true },
        ],
      },
    ])
    expect(outcome).toMatchObject({ accepted: 3, samples: 0, histograms: 3, rejected: 0 })
    const row = { tenant: 'default', metric: 'rpc', series: idOf(name), start: 0n, sum: bits(-1.5) }
    expect(tables['prom_histograms']).toEqual([
      {
        ...row,
        ts: BigInt(NOW - 2),
        reset_hint: 3,
        schema: -1,
        zero_threshold: bits(0.25),
        zero_count: bits(2),
        count: bits(12),
        positive_offsets: [-3, 2],
        positive_lengths: [2, 1],
        positive_counts: [1, 4, 2].map(bits),
        negative_offsets: [5],
        negative_lengths: [2],
        negative_counts: [3, 0].map(bits),
        custom_values: [],
      },
      {
        ...row,
        ts: BigInt(NOW - 1),
        reset_hint: 2,
        schema: -53,
        zero_threshold: bits(0),
        zero_count: bits(0),
        count: bits(7),
        positive_offsets: [1],
        positive_lengths: [3],
        positive_counts: [1, 4, 2].map(bits),
        negative_offsets: [],
        negative_lengths: [],
        negative_counts: [],
        custom_values: [0.5, 1, 10].map(bits),
      },
    ])
    expect(tables['prom_samples']).toMatchObject([{ ts: BigInt(NOW), is_stale: 1, series: idOf(name) }])
  })

  test('counts beyond 32 bits, and observations that are NaN', () => {
    const large: FloatHistogram = {
      ...HISTOGRAM,
      schema: 8,
      sum: Number.NaN,
      zeroCount: 2 ** 40,
      count: 2 ** 40 + 2 ** 45 + 2 ** 33 + 5,
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveBuckets: [2 ** 45, 2 ** 33],
      negativeSpans: [],
      negativeBuckets: [],
    }
    const { tables } = decode([
      { labels: labels('big'), samples: [{ timestampMs: NOW, histogram: large, isInteger: true }] },
    ])
    expect(tables['prom_histograms']).toMatchObject([
      {
        schema: 8,
        zero_count: bits(2 ** 40),
        count: bits(2 ** 40 + 2 ** 45 + 2 ** 33 + 5),
        positive_counts: [2 ** 45, 2 ** 33].map(bits),
      },
    ])
  })

  test.each<[string, Partial<FloatHistogram>, string]>([
    ['a schema too fine', { schema: 53 }, 'has the schema 53: expected -4 to 52 or -53'],
    ['a schema too coarse', { schema: -5 }, 'has the schema -5: expected -4 to 52 or -53'],
    ['no schema', { schema: -52 }, 'has the schema -52: expected -4 to 52 or -53'],
    ['spans', { positiveSpans: [{ offset: 0, length: 2 }] }, 'has 3 positive buckets, and spans for 2'],
    [
      'overlap',
      {
        negativeSpans: [
          { offset: 0, length: 1 },
          { offset: -1, length: 1 },
        ],
      },
      'has negative spans that overlap',
    ],
    ['negative', { positiveBuckets: [1, -1, 7] }, 'has a negative count of a bucket'],
    ['bounds', { customValues: [1] }, 'has custom bounds, which its schema has not'],
    ['width', { zeroThreshold: -1 }, 'has a zero bucket of negative width'],
    ['falling bounds', { ...CUSTOM, customValues: [1, 1, 2] }, 'has custom bounds that do not rise'],
    [
      'infinite bound',
      { ...CUSTOM, customValues: [1, 2, Number.POSITIVE_INFINITY] },
      'has custom bounds that do not rise, or are not finite',
    ],
    ['few bounds', { ...CUSTOM, customValues: [1, 2] }, 'has more buckets than custom bounds'],
    ['zero bucket', { ...CUSTOM, zeroThreshold: 1 }, 'has a zero bucket, which custom bounds exclude'],
  ])('a histogram that contradicts itself is refused, its neighbours are kept: %s', (name, wrong, text) => {
    const { outcome, tables } = decode([
      {
        labels: labels('rpc'),
        samples: [
          { timestampMs: NOW - 1, histogram: { ...HISTOGRAM, ...wrong } },
          { timestampMs: NOW, histogram: HISTOGRAM },
          { timestampMs: NOW, value: 1 },
        ],
      },
    ])
    expect(name).not.toBe('')
    expect(outcome).toMatchObject({ accepted: 2, rejected: 1 })
    expect(outcome.message('samples')).toContain(`(first: a histogram of rpc ${text}`)
    expect(tables['prom_histograms']).toHaveLength(1)
    expect(tables['prom_samples']).toHaveLength(1)
  })

  test('a sum of buckets that is not the count is refused of integers only', () => {
    const wrong = { ...HISTOGRAM, count: 13 }
    const sample = { timestampMs: NOW, histogram: wrong }
    const { outcome } = decode([{ labels: labels('rpc'), samples: [{ ...sample, isInteger: true }, sample] }])
    expect(outcome).toMatchObject({ accepted: 1, rejected: 1 })
    expect(outcome.message('samples')).toContain('counts 13 observations, and 12 in its buckets')
  })

  test.each<[string, readonly string[], string]>([
    ['no name', ['job', 'x'], '{job="x"} has no metric name'],
    ['an empty name', ['__name__', '', 'job', 'x'], 'has no metric name'],
    ['no labels', [], '{} has no metric name'],
    ['a label without a name', ['', 'x', '__name__', 'm'], 'has a label without a name'],
    ['a label twice', ['__name__', 'm', 'a', '1', 'a', '2'], 'has the label "a" more than once'],
  ])('labels that make no series are refused, the others are kept: %s', (_what, bad, text) => {
    const samples = [
      { timestampMs: NOW - 1, value: 1 },
      { timestampMs: NOW, value: 2 },
    ]
    const { outcome, tables } = decode([
      { labels: bad, samples },
      { labels: labels('good'), samples },
      { labels: bad, samples },
    ])
    expect(outcome).toMatchObject({ accepted: 2, rejected: 4 })
    expect(outcome.message('samples')).toContain(text)
    expect(tables['prom_series']).toMatchObject([{ name: 'good' }])
    expect(tables['prom_samples']).toHaveLength(2)
  })

  test('too many labels make no series', () => {
    const many = Array.from({ length: 1024 }, (_, index) => [`l${index}`, 'x']).flat()
    const samples = [{ timestampMs: NOW, value: 1 }]
    expect(decode([{ labels: ['__name__', 'm', ...many], samples }]).outcome.message('samples')).toContain(
      'a series has 1025 labels, more than 1024',
    )
    expect(decode([{ labels: ['__name__', 'm', ...many.slice(2)], samples }]).outcome.accepted).toBe(1)
  })

  test('order and empty values of labels make no difference', () => {
    const samples = [{ timestampMs: NOW, value: 1 }]
    const { tables } = decode([
      { labels: ['z', '1', '__name__', 'm', 'empty', '', 'a', '2'], samples },
      { labels: ['__name__', 'm', 'a', '2', 'z', '1'], samples },
    ])
    const id = idOf(['__name__', 'm', 'a', '2', 'z', '1'])
    expect(tables['prom_samples']).toMatchObject([{ series: id }, { series: id }])
    expect(tables['prom_series']?.[0]).toMatchObject({
      id,
      labels: [
        ['a', '2'],
        ['z', '1'],
      ],
    })
  })

  test('times outside the window are refused', () => {
    const { outcome, tables } = decode([
      {
        labels: labels('m'),
        samples: [
          { timestampMs: NOW - DAY_MS - 1, value: 1 },
          { timestampMs: NOW + DAY_MS + 1, histogram: HISTOGRAM },
          { timestampMs: -5, value: 1 },
          { timestampMs: 0, value: 1 },
          { timestampMs: NOW - DAY_MS, value: 1 },
        ],
      },
    ])
    expect([...outcome.reasons]).toEqual([
      ['too_old', 3],
      ['in_future', 1],
    ])
    expect(outcome.message('samples')).toContain(`a sample of m at ${NOW - DAY_MS - 1} ms`)
    expect(tables['prom_samples']).toMatchObject([{ ts: BigInt(NOW - DAY_MS) }])
  })

  test('exemplars, with ids of traces and spans where they are ids', () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const { outcome, tables } = decode([
      {
        labels: labels('m'),
        samples: [],
        exemplars: [
          { labels: ['span_id', '00f067aa0ba902b7', 'trace_id', trace], value: 0.5, timestampMs: NOW - 7 },
          { labels: ['trace_id', 'ABC', 'user', 'x'], value: 1, timestampMs: NOW },
          { labels: ['trace_id', '0'.repeat(32)], value: 2, timestampMs: 0 },
          { labels: [], value: 3, timestampMs: NOW - 2 * DAY_MS },
        ],
      },
    ])
    expect(outcome).toMatchObject({ accepted: 0, exemplars: 3, rejected: 0, isEmpty: false })
    const none = { trace_id: '0'.repeat(32), span_id: '0'.repeat(16), attr_kinds: '' }
    expect(tables['metric_exemplars']).toMatchObject([
      {
        metric: 'm',
        series: idOf(labels('m')),
        ts: BigInt(NOW - 7) * 1_000_000n,
        point_ts: BigInt(NOW - 7) * 1_000_000n,
        value_kind: 'd',
        value: bits(0.5),
        trace_id: trace,
        span_id: '00f067aa0ba902b7',
        attrs: [],
      },
      {
        ...none,
        attrs: [
          ['trace_id', 'ABC'],
          ['user', 'x'],
        ],
      },
      { ...none, ts: BigInt(NOW) * 1_000_000n, attrs: [['trace_id', '0'.repeat(32)]] },
    ])
  })

  test('a series and metadata are told once a day and tenant, and again when it was not written', () => {
    const blocks = createTelemetryBlocks({ maxAttributes: 8 })
    const series: SentSeries = {
      labels: labels('m_total'),
      samples: [{ timestampMs: NOW, value: 1 }],
      metadata: { type: 'counter', help: 'Help.', unit: 's' },
    }
    const told = (now: number, tenant = 'default', sent = series) => {
      const { tables } = decodeWriteRows([sent], { version, now, tenant }, blocks)
      return [tables['prom_series']?.length ?? 0, tables['prom_metadata']?.length ?? 0]
    }
    expect(told(NOW)).toEqual([1, 1])
    expect(told(NOW)).toEqual([0, 0])
    expect(told(NOW, 'other')).toEqual([1, 1])
    expect(told(NOW)).toEqual([0, 0])
    const changed: SentSeries = { ...series, metadata: { type: 'gauge', help: 'Help.', unit: 's' } }
    expect(told(NOW, 'default', changed)).toEqual([0, 1])
    expect(told(NOW)).toEqual([0, 1])
    expect(told(NOW + DAY_MS / 2)).toEqual([0, 0])
    const tomorrow = { ...series, samples: [{ timestampMs: NOW + DAY_MS, value: 1 }] }
    expect(told(NOW + DAY_MS, 'default', tomorrow)).toEqual([1, 1])
    blocks.reset(false)
    expect(told(NOW + DAY_MS, 'default', tomorrow)).toEqual([1, 1])
    // A message that breaks off takes its own new series back, and only these.
    const fresh = { labels: labels('n'), samples: tomorrow.samples }
    const message = encodeWriteRequest([tomorrow, fresh], version)
    const broken = Buffer.concat([message, Buffer.from([0x0a, 0x7f])])
    expect(() => decodeWriteRows(broken, { version, now: NOW + DAY_MS }, blocks)).toThrow(
      expect.objectContaining({ code: 'MALFORMED_MESSAGE' }),
    )
    expect(told(NOW + DAY_MS, 'default', tomorrow)).toEqual([0, 0])
    expect(told(NOW + DAY_MS, 'default', fresh)).toEqual([1, 0])
  })

  test.each([
    ['rpc_bucket', 'histogram'],
    ['rpc_count', 'summary'],
    ['rpc_gsum', 'gaugehistogram'],
    ['rpc_total', 'counter'],
    ['rpc_info', 'info'],
  ] as const)('metadata of %s, a %s', (name, type) => {
    const sent = { labels: labels(name), samples: [], metadata: { type, help: 'Hélp\n"x"', unit: 'ms' } }
    const { outcome, tables } = decode([sent])
    expect(outcome).toMatchObject({ metadata: 1, isEmpty: false })
    // 1.0 tells metadata of a metric, 2.0 of a series.
    const isSuffixed = version === 2 && !/total|info/.test(name)
    expect(tables['prom_metadata']).toEqual([
      {
        tenant: 'default',
        name: isSuffixed ? 'rpc' : name,
        day: DAY,
        type,
        unit: 'ms',
        help: 'Hélp\n"x"',
        version: BigInt(NOW),
      },
    ])
  })
})

describe('what only one version has', () => {
  const sample = (writer: ReturnType<typeof createProtobufWriter>) =>
    writer.message(2, () => writer.varint(2, NOW))

  test('1.0: labels behind and between the samples', () => {
    const writer = createProtobufWriter()
    const label = (name: string, value: string) =>
      writer.message(1, () => {
        writer.string(2, value)
        writer.string(1, name)
      })
    writer.message(1, () => {
      label('b', '2')
      sample(writer)
      label('__name__', 'm')
      sample(writer)
    })
    const { tables } = decodeWriteRows(writer.finish(), { version: 1, now: NOW })
    const series = idOf(labels('m', { b: '2' }))
    expect(tables['prom_samples']).toMatchObject([{ series }, { series }])
  })

  test('1.0: text that is not UTF-8 makes no series', () => {
    const writer = createProtobufWriter()
    writer.message(1, () => {
      writer.message(1, () => {
        writer.string(1, '__name__')
        writer.bytes(2, Buffer.from([0x61, 0xff]))
      })
      sample(writer)
    })
    const { outcome } = decodeWriteRows(writer.finish(), { version: 1, now: NOW })
    expect(outcome.message('samples')).toContain('is not valid UTF-8')
  })

  test('2.0: when a counter began, of the sample or of the series', () => {
    const series: SentSeries = {
      labels: labels('m'),
      samples: [
        { timestampMs: NOW, value: 1, startMs: NOW - 500 },
        { timestampMs: NOW, value: 1, startMs: NOW + 1 },
        { timestampMs: NOW, histogram: HISTOGRAM, startMs: NOW - 600 },
      ],
    }
    const { tables } = decodeWriteRows([series], { version: 2, now: NOW })
    expect(tables['prom_samples']).toMatchObject([{ start: BigInt(NOW - 500) }, { start: 0n }])
    expect(tables['prom_histograms']).toMatchObject([{ start: BigInt(NOW - 600) }])

    const writer = createProtobufWriter()
    for (const text of ['', '__name__', 'm']) writer.string(4, text)
    writer.message(5, () => {
      sample(writer)
      writer.varint(6, NOW - 700)
      // References one by one instead of packed.
      writer.varint(1, 1)
      writer.varint(1, 2)
    })
    const old = decodeWriteRows(writer.finish(), { version: 2, now: NOW })
    expect(old.tables['prom_samples']).toMatchObject([{ start: BigInt(NOW - 700), metric: 'm' }])
  })

  test.each<[string, readonly number[]]>([
    ['a symbol that is not there', [1, 3]],
    ['a name without a value', [1, 2, 1]],
  ])('2.0: %s makes the message malformed', (_what, refs) => {
    const writer = createProtobufWriter()
    for (const text of ['', '__name__', 'm']) writer.string(4, text)
    writer.message(5, () => {
      writer.bytes(1, Uint8Array.from(refs))
      sample(writer)
    })
    expect(() => decodeWriteRows(writer.finish(), { version: 2, now: NOW })).toThrow(
      expect.objectContaining({ code: 'MALFORMED_MESSAGE' }),
    )
  })

  test.each<[string, (writer: ReturnType<typeof createProtobufWriter>, index: number) => void]>([
    ['labels', (writer, index) => writer.bytes(1, Uint8Array.from([1, 2, 3, 4, 5 + index, 3]))],
    [
      'exemplars',
      (writer) => {
        writer.bytes(1, Uint8Array.from([1, 2]))
        writer.message(4, () => {
          writer.bytes(1, Uint8Array.from([3, 4]))
          writer.varint(3, NOW)
        })
      },
    ],
    [
      'metadata',
      (writer, index) => {
        writer.bytes(1, Uint8Array.from([1, 5 + index]))
        writer.message(5, () => writer.varint(3, 4))
      },
    ],
  ])('2.0: one long symbol in many %s is not written out without end', (_what, write) => {
    const writer = createProtobufWriter()
    const symbols = ['', '__name__', 'm', 'a', 'x'.repeat(1 << 20)]
    for (const text of [...symbols, ...Array.from({ length: 70 }, (_, index) => `n${index}`)]) {
      writer.string(4, text)
    }
    for (let index = 0; index < 70; index++) {
      writer.message(5, () => {
        write(writer, index)
        sample(writer)
      })
    }
    expect(() => decodeWriteRows(writer.finish(), { version: 2, now: NOW })).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }),
    )
  })

  test('2.0: references without end make the message malformed', () => {
    const writer = createProtobufWriter()
    writer.string(4, '')
    writer.message(5, () => writer.bytes(1, Buffer.alloc(70_000)))
    expect(() => decodeWriteRows(writer.finish(), { version: 2, now: NOW })).toThrow(
      expect.objectContaining({ code: 'MALFORMED_MESSAGE' }),
    )
  })

  test('2.0: symbols behind the series that refer to them', () => {
    const writer = createProtobufWriter()
    writer.message(5, () => {
      writer.bytes(1, Uint8Array.from([1, 2]))
      sample(writer)
    })
    for (const text of ['', '__name__', 'm']) writer.string(4, text)
    const { tables } = decodeWriteRows(writer.finish(), { version: 2, now: NOW })
    expect(tables['prom_samples']).toMatchObject([{ metric: 'm' }])
  })
})

test('both versions know the same series', () => {
  const blocks = createTelemetryBlocks({ maxAttributes: 8 })
  const series = [{ labels: labels('m', { a: 'b' }), samples: [{ timestampMs: NOW, value: 1 }] }]
  const [first, second] = BOTH.map((version) => decodeWriteRows(series, { version, now: NOW }, blocks))
  expect(second?.tables['prom_samples']).toEqual(first?.tables['prom_samples'])
})
