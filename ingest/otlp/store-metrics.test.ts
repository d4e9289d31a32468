import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeAttributes } from '../../model/any-value.ts'
import { storeMessage } from '../../test/support/decode-message.ts'
import { EVERY_ATTRIBUTE } from '../../test/support/every-attribute.ts'
import { metricsMessage, sumMetric } from '../../test/support/metric-messages.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import type { OtlpJson } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'

type Pairs = readonly (readonly [string, string])[]

const NOW = Date.UTC(2026, 0, 2, 4)
const TIME = BigInt(NOW) * 1_000_000n + 123_456_789n
const START = TIME - 60_000_000_000n
const TRACE_ID = '0102030405060708090a0b0c0d0e0f10'
const SPAN_ID = 'f0e1d2c3b4a59687'
const ATTRIBUTES = "CAST(attrs, 'Array(Tuple(String, String))') AS pairs, attr_kinds"
const TIMES =
  'toString(toUnixTimestamp64Nano(ts)) AS ts, toString(toUnixTimestamp64Nano(start)) AS start, flags'

function point(fields: OtlpJson = {}): OtlpJson {
  return { timeUnixNano: String(TIME), startTimeUnixNano: String(START), ...fields }
}

let deps: OpenQueryDeps
beforeAll(async () => {
  deps = await openQueryDeps()
})
afterAll(() => deps.close())

async function store(tenant: string, metrics: readonly OtlpJson[], points: number): Promise<void> {
  const resource = { attributes: [text('service.name', 'cart')] }
  const message = metricsMessage(metrics, resource, { name: 'meter' })
  const outcome = await storeMessage(deps.storage, 'metrics', message, { now: NOW, tenant })
  expect(outcome).toMatchObject({ accepted: points, rejected: 0 })
}

function rows(tenant: string, sql: string): Promise<Record<string, unknown>[]> {
  return deps.storage.select<Record<string, unknown>>({ name: 'test', tenant, sql })
}

describe('series', () => {
  test.each<[string, OtlpJson, OtlpJson]>([
    ['gauge', { gauge: { dataPoints: [point({ attributes: EVERY_ATTRIBUTE })] } }, {}],
    [
      'sum',
      {
        sum: {
          aggregationTemporality: 1,
          isMonotonic: true,
          dataPoints: [point({ attributes: EVERY_ATTRIBUTE })],
        },
      },
      { temporality: 'delta', is_monotonic: true },
    ],
    [
      'histogram',
      { histogram: { aggregationTemporality: 2, dataPoints: [point({ attributes: EVERY_ATTRIBUTE })] } },
      { temporality: 'cumulative' },
    ],
    [
      'exponential_histogram',
      {
        exponentialHistogram: {
          aggregationTemporality: 1,
          dataPoints: [point({ attributes: EVERY_ATTRIBUTE })],
        },
      },
      { temporality: 'delta' },
    ],
    ['summary', { summary: { dataPoints: [point({ attributes: EVERY_ATTRIBUTE })] } }, {}],
  ])('of a %s has everything but the points', async (type, data, expected) => {
    const tenant = `series-${type}`
    await store(
      tenant,
      [{ name: 'm ☕', description: 'What it is', unit: 'ms', metadata: EVERY_ATTRIBUTE, ...data }],
      1,
    )
    const [row = {}] = await rows(
      tenant,
      `SELECT metric, toString(day) AS day, type, temporality, is_monotonic, unit, description, s.service AS service,
        o.service AS origin_service, scope_name, CAST(metadata, 'Array(Tuple(String, String))') AS metadata_pairs,
        metadata_kinds, ${ATTRIBUTES}
      FROM metric_series AS s JOIN origins AS o ON o.id = s.origin AND o.tenant = s.tenant WHERE s.tenant = {tenant:String}`,
    )
    const { pairs, attr_kinds, metadata_pairs, metadata_kinds, ...plain } = row
    expect(plain).toEqual({
      metric: 'm ☕',
      day: '2026-01-02',
      type,
      temporality: 'unspecified',
      is_monotonic: false,
      unit: 'ms',
      description: 'What it is',
      service: 'cart',
      origin_service: 'cart',
      scope_name: 'meter',
      ...expected,
    })
    expect(decodeAttributes(pairs as Pairs, String(attr_kinds))).toStrictEqual(EVERY_ATTRIBUTE)
    expect(decodeAttributes(metadata_pairs as Pairs, String(metadata_kinds))).toStrictEqual(EVERY_ATTRIBUTE)
    expect(
      await rows(
        tenant,
        'SELECT DISTINCT level FROM attribute_keys WHERE tenant = {tenant:String} ORDER BY level',
      ),
    ).toEqual([{ level: 'resource' }, { level: 'metric' }])
  })

  test('points refer to their series', async () => {
    const points = ['a', 'b', 'a'].map((value) => point({ attributes: [text('k', value)], asInt: '1' }))
    await store('refer', [sumMetric(points)], 3)
    expect(
      await rows(
        'refer',
        `SELECT s.attrs['k'] AS k, count() AS points FROM otlp_points AS p
        JOIN metric_series AS s ON s.id = p.series AND s.tenant = p.tenant
        WHERE p.tenant = {tenant:String} GROUP BY k ORDER BY k`,
      ),
    ).toEqual([
      { k: 'a', points: '2' },
      { k: 'b', points: '1' },
    ])
  })
})

describe('number points', () => {
  test.each<[string, OtlpJson, OtlpJson]>([
    ['an int', { asInt: '42' }, { value_kind: 'i', value: 42, int_value: '42' }],
    ['zero', { asInt: '0' }, { value_kind: 'i', value: 0, int_value: '0' }],
    ['minus one', { asInt: '-1' }, { value_kind: 'i', value: -1, int_value: '-1' }],
    [
      'the least int64',
      { asInt: '-9223372036854775808' },
      { value_kind: 'i', value: -(2 ** 63), int_value: '-9223372036854775808' },
    ],
    [
      'the greatest int64',
      { asInt: '9223372036854775807' },
      { value_kind: 'i', value: 2 ** 63, int_value: '9223372036854775807' },
    ],
    [
      'an int that no double is',
      { asInt: '9007199254740993' },
      { value_kind: 'i', value: Number(9007199254740993n), int_value: '9007199254740993' },
    ],
    [
      'a negative int that no double is',
      { asInt: '-9007199254740995' },
      { value_kind: 'i', value: Number(-9007199254740995n), int_value: '-9007199254740995' },
    ],
    ['a double', { asDouble: 0.1 }, { value_kind: 'd', value: 0.1, int_value: '0' }],
    ['the least double', { asDouble: 5e-324 }, { value_kind: 'd', value: 5e-324, int_value: '0' }],
    ['NaN', { asDouble: 'NaN' }, { value_kind: 'd', value: 'nan', int_value: '0' }],
    ['infinity', { asDouble: '-Infinity' }, { value_kind: 'd', value: '-inf', int_value: '0' }],
    ['nothing', { flags: 1 }, { value_kind: 'e', value: 0, int_value: '0', flags: 1 }],
    [
      'every flag',
      { flags: 0xffffffff, asInt: '1' },
      { value_kind: 'i', value: 1, int_value: '1', flags: 0xffffffff },
    ],
    [
      'no start',
      { startTimeUnixNano: '0', asInt: '1' },
      { value_kind: 'i', value: 1, int_value: '1', start: '0' },
    ],
  ])('%s', async (name, fields, expected) => {
    await store(name, [sumMetric([point(fields)])], 1)
    expect(
      await rows(
        name,
        `SELECT ${TIMES}, metric, value_kind, value, int_value FROM otlp_points WHERE tenant = {tenant:String}`,
      ),
    ).toEqual([{ metric: 'requests', ts: String(TIME), start: String(START), flags: 0, ...expected }])
  })

  test('minus zero keeps its sign', async () => {
    await store('minus-zero', [sumMetric([point({ asDouble: -0 })])], 1)
    expect(
      await rows(
        'minus-zero',
        'SELECT hex(reinterpretAsUInt64(value)) AS bits FROM otlp_points WHERE tenant = {tenant:String}',
      ),
    ).toEqual([{ bits: '8000000000000000' }])
  })
})

describe('histograms', () => {
  const columns = `${TIMES}, present, count, sum, min, max`

  test('with everything', async () => {
    const sent = point({
      count: '18446744073709551615',
      sum: -1.5,
      min: 'NaN',
      max: 'Infinity',
      bucketCounts: ['0', '9007199254740993', '18446744073709551615'],
      explicitBounds: [0.5, 'Infinity'],
      flags: 1,
    })
    await store('histogram', [{ name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [sent] } }], 1)
    expect(
      await rows(
        'histogram',
        `SELECT ${columns}, bounds, counts FROM otlp_histograms WHERE tenant = {tenant:String}`,
      ),
    ).toEqual([
      {
        ts: String(TIME),
        start: String(START),
        flags: 1,
        present: 7,
        count: '18446744073709551615',
        sum: -1.5,
        min: 'nan',
        max: 'inf',
        bounds: [0.5, 'inf'],
        counts: ['0', '9007199254740993', '18446744073709551615'],
      },
    ])
  })

  test.each<[string, OtlpJson, number]>([
    ['nothing', {}, 0],
    ['a sum of zero', { sum: 0 }, 1],
    ['a least of zero', { min: 0 }, 2],
    ['a greatest of zero', { max: 0 }, 4],
  ])('tell what was sent: %s', async (name, fields, present) => {
    const histogram = { dataPoints: [point({ count: '3', ...fields })] }
    const exponentialHistogram = histogram
    await store(
      `present-${name}`,
      [
        { name: 'h', histogram },
        { name: 'e', exponentialHistogram },
      ],
      2,
    )
    const expected = { present, count: '3', sum: 0, min: 0, max: 0 }
    for (const table of ['otlp_histograms', 'otlp_exponential_histograms']) {
      expect(
        await rows(
          `present-${name}`,
          `SELECT present, count, sum, min, max FROM ${table} WHERE tenant = {tenant:String}`,
        ),
      ).toEqual([expected])
    }
  })

  test('exponential, with everything', async () => {
    const sent = point({
      count: '100',
      sum: 12.5,
      min: -3,
      max: 9,
      scale: -10,
      zeroCount: '7',
      zeroThreshold: 0.001,
      positive: { offset: -2147483648, bucketCounts: ['1', '0', '18446744073709551615'] },
      negative: { offset: 2147483647, bucketCounts: ['300'] },
      flags: 1,
    })
    await store(
      'exponential',
      [{ name: 'e', exponentialHistogram: { aggregationTemporality: 1, dataPoints: [sent] } }],
      1,
    )
    expect(
      await rows(
        'exponential',
        `SELECT ${columns}, scale, zero_count, zero_threshold, positive_offset, positive_counts, negative_offset, negative_counts
        FROM otlp_exponential_histograms WHERE tenant = {tenant:String}`,
      ),
    ).toEqual([
      {
        ts: String(TIME),
        start: String(START),
        flags: 1,
        present: 7,
        count: '100',
        sum: 12.5,
        min: -3,
        max: 9,
        scale: -10,
        zero_count: '7',
        zero_threshold: 0.001,
        positive_offset: -2147483648,
        positive_counts: ['1', '0', '18446744073709551615'],
        negative_offset: 2147483647,
        negative_counts: ['300'],
      },
    ])
  })
})

test('summaries', async () => {
  const sent = point({
    count: '5',
    sum: 2.5,
    quantileValues: [{ quantile: 0, value: 0.25 }, { quantile: 0.99, value: 'NaN' }, { value: 3 }],
    flags: 1,
  })
  await store('summary', [{ name: 's', summary: { dataPoints: [sent, point()] } }], 2)
  expect(
    await rows(
      'summary',
      `SELECT ${TIMES}, count, sum, quantiles, quantile_values FROM otlp_summaries
      WHERE tenant = {tenant:String} ORDER BY count DESC`,
    ),
  ).toEqual([
    {
      ts: String(TIME),
      start: String(START),
      flags: 1,
      count: '5',
      sum: 2.5,
      quantiles: [0, 0.99, 0],
      quantile_values: [0.25, 'nan', 3],
    },
    {
      ts: String(TIME),
      start: String(START),
      flags: 0,
      count: '0',
      sum: 0,
      quantiles: [],
      quantile_values: [],
    },
  ])
})

test('exemplars of every kind of point', async () => {
  const exemplar = (fields: OtlpJson) => ({ timeUnixNano: String(TIME - 1n), ...fields })
  const whole = exemplar({
    asInt: '-9007199254740993',
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    filteredAttributes: EVERY_ATTRIBUTE,
  })
  await store(
    'exemplars',
    [
      { name: '1', gauge: { dataPoints: [point({ exemplars: [whole, exemplar({ asDouble: 0.5 })] })] } },
      sumMetric([point({ exemplars: [exemplar({ asDouble: 'NaN' })] })], { name: '2' }),
      {
        name: '3',
        histogram: { dataPoints: [point({ exemplars: [exemplar({ traceId: '01', spanId: '02' })] })] },
      },
      { name: '4', exponentialHistogram: { dataPoints: [point({ exemplars: [{ asInt: '1' }] })] } },
    ],
    4,
  )
  const stored = await rows(
    'exemplars',
    `SELECT metric, toString(toUnixTimestamp64Nano(point_ts)) AS point_ts, toString(toUnixTimestamp64Nano(ts)) AS ts,
      value_kind, value, int_value, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, ${ATTRIBUTES}
    FROM metric_exemplars WHERE tenant = {tenant:String} ORDER BY metric, value_kind DESC`,
  )
  const none = {
    point_ts: String(TIME),
    ts: String(TIME - 1n),
    value: 0,
    int_value: '0',
    trace_id: '00'.repeat(16),
    span_id: '00'.repeat(8),
  }
  expect(stored.map(({ pairs: _pairs, attr_kinds: _kinds, ...plain }) => plain)).toEqual([
    {
      ...none,
      metric: '1',
      value_kind: 'i',
      value: -9007199254740992,
      int_value: '-9007199254740993',
      trace_id: TRACE_ID,
      span_id: SPAN_ID,
    },
    { ...none, metric: '1', value_kind: 'd', value: 0.5 },
    { ...none, metric: '2', value_kind: 'd', value: 'nan' },
    // Ids of a wrong length are left out: they would lead nowhere.
    { ...none, metric: '3', value_kind: 'e' },
    // Without a time of its own it has that of its point.
    { ...none, metric: '4', value_kind: 'i', value: 1, int_value: '1', ts: String(TIME) },
  ])
  expect(decodeAttributes(stored[0]?.['pairs'] as Pairs, String(stored[0]?.['attr_kinds']))).toStrictEqual(
    EVERY_ATTRIBUTE,
  )
  expect(
    await rows(
      'exemplars',
      `SELECT count() AS n FROM metric_exemplars AS e JOIN metric_series AS s ON s.id = e.series AND s.metric = e.metric
      WHERE e.tenant = {tenant:String} AND s.tenant = {tenant:String}`,
    ),
  ).toEqual([{ n: '5' }])
})
