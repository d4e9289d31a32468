import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EMPTY_HISTOGRAM } from '../../model/float-histogram.ts'
import { labelsFrom, labelsText } from '../../model/labels.ts'
import { storeMessage } from '../../test/support/decode-message.ts'
import { metricsMessage, sumMetric } from '../../test/support/metric-messages.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import type { OtlpJson } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'
import type { QueryEngine, QueryResult } from '../promql/query-engine.ts'
import { createQueryTrace } from '../promql/query-plan.ts'
import { createMetricsEngine } from './create-metrics-engine.ts'
import { createSampleWriter } from './create-sample-writer.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const SECOND = 1000
const RESOURCE = {
  attributes: [
    text('service.name', 'cart'),
    text('service.namespace', 'shop'),
    text('service.instance.id', 'i-1'),
  ],
}
const WHERE = 'instance="i-1", job="shop/cart"'

let deps: OpenQueryDeps
let engine: QueryEngine

beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
  engine = createMetricsEngine(deps)
})
afterAll(() => deps.close())

/** A point `seconds` before now. */
function point(seconds: number, fields: OtlpJson): OtlpJson {
  return { timeUnixNano: String(BigInt(NOW - seconds * SECOND) * 1_000_000n), ...fields }
}

async function store(tenant: string, metrics: readonly OtlpJson[]): Promise<void> {
  const outcome = await storeMessage(deps.storage, 'metrics', metricsMessage(metrics, RESOURCE), {
    now: NOW,
    tenant,
  })
  expect(outcome.rejected).toBe(0)
}

function shown(result: QueryResult): Record<string, unknown> {
  if (result.type === 'vector') {
    return Object.fromEntries(result.vector.map(({ labels, value }) => [labelsText(labels), value]))
  }
  if (result.type === 'matrix') {
    return Object.fromEntries(result.matrix.map(({ labels, values }) => [labelsText(labels), [...values]]))
  }
  return { value: result.value }
}

async function ask(tenant: string, expr: string, timeMs = NOW): Promise<Record<string, unknown>> {
  return shown(await engine.instant({ tenant, expr, timeMs }))
}

describe('gauges and sums', () => {
  beforeAll(async () => {
    const paths = ['/a', '/b']
    await store('plain', [
      sumMetric(
        paths.flatMap((path, index) =>
          [60, 45, 30, 15, 0].map((seconds) =>
            point(seconds, {
              asInt: String((100 - seconds) * (index + 1)),
              attributes: [text('http.path', path)],
            }),
          ),
        ),
        { name: 'http.requests', unit: '{request}' },
      ),
      {
        name: 'temperature',
        unit: 'Cel',
        gauge: { dataPoints: [point(20, { asDouble: 21.5 }), point(400, { asDouble: 1 })] },
      },
      { name: 'special', gauge: { dataPoints: [point(5, { asDouble: 'NaN' })] } },
      { name: 'special.inf', gauge: { dataPoints: [point(5, { asDouble: '-Infinity' })] } },
    ])
  })

  test('by name, with labels of attributes and resource', async () => {
    expect(await ask('plain', 'http_requests_total')).toEqual({
      [`http_requests_total{http_path="/a", ${WHERE}}`]: 100,
      [`http_requests_total{http_path="/b", ${WHERE}}`]: 200,
    })
    expect(await ask('plain', 'temperature_celsius')).toEqual({ [`temperature_celsius{${WHERE}}`]: 21.5 })
    expect(await ask('plain', 'special')).toEqual({ [`special{${WHERE}}`]: Number.NaN })
    expect(await ask('plain', 'special_inf')).toEqual({ [`special_inf{${WHERE}}`]: Number.NEGATIVE_INFINITY })
  })

  test.each<[string, string[]]>([
    ['http_requests_total{http_path="/a"}', ['/a']],
    ['http_requests_total{http_path!="/a"}', ['/b']],
    ['http_requests_total{http_path=~"/[ac]"}', ['/a']],
    ['http_requests_total{http_path=~"/"}', []],
    ['http_requests_total{http_path!~"/[ac]"}', ['/b']],
    ['http_requests_total{http_path=~"/a|/b"}', ['/a', '/b']],
    ['http_requests_total{http_path!~"/a|/b"}', []],
    ['http_requests_total{absent=""}', ['/a', '/b']],
    ['http_requests_total{absent!=""}', []],
    ['http_requests_total{absent=~".*"}', ['/a', '/b']],
    ['http_requests_total{absent=~".+"}', []],
    ['http_requests_total{absent!~"x"}', ['/a', '/b']],
    ['http_requests_total{job="shop/cart",instance=~"i-.*"}', ['/a', '/b']],
    ['{__name__=~"http_.*",http_path="/b"}', ['/b']],
    ['{__name__!="http_requests_total",http_path=~".+"}', []],
    ['http_requests_total{http_path="/it\'s {x:String} \\\\ \\n"}', []],
  ])('%s', async (expr, paths) => {
    const found = Object.keys(await ask('plain', `sum by (http_path) (${expr})`))
    expect(found.sort()).toEqual(paths.map((path) => `{http_path="${path}"}`))
  })

  test('rate over stored samples', async () => {
    expect(await ask('plain', 'rate(http_requests_total{http_path="/b"}[1m])')).toEqual({
      [`{http_path="/b", ${WHERE}}`]: expect.closeTo(2, 12),
    })
  })

  test('a range, and what is older than the lookback', async () => {
    const result = await engine.range({
      tenant: 'plain',
      expr: 'temperature_celsius',
      startMs: NOW - 400 * SECOND,
      endMs: NOW,
      stepMs: 100 * SECOND,
    })
    expect(
      result.type === 'matrix' &&
        result.matrix.map(({ timestamps, values }) => [[...timestamps], [...values]]),
    ).toEqual([
      [[NOW - 400 * SECOND, NOW - 300 * SECOND, NOW - 200 * SECOND, NOW].map(Number), [1, 1, 1, 21.5]],
    ])
  })

  test('belong to their tenant', async () => {
    expect(await ask('other', 'http_requests_total')).toEqual({})
  })

  test('more than the query may hold are refused', async () => {
    const small = createMetricsEngine(deps, { maxSamples: 9, path: 'raw' })
    const query = { tenant: 'plain', expr: 'sum(rate(http_requests_total[2m]))', timeMs: NOW }
    await expect(small.instant(query)).rejects.toMatchObject({
      code: 'RESULT_TOO_LARGE',
      message: 'query processing would load too many samples into memory in query execution',
    })
    await expect(
      createMetricsEngine(deps, { maxSamples: 10, path: 'raw' }).instant(query),
    ).resolves.toBeDefined()
  })
})

test('a point that says there is none ends the series', async () => {
  await store('stale', [
    { name: 'up', gauge: { dataPoints: [point(30, { asInt: '1' }), point(10, { flags: 1 })] } },
  ])
  expect(await ask('stale', 'up', NOW - 20 * SECOND)).toEqual({ [`up{${WHERE}}`]: 1 })
  expect(await ask('stale', 'up')).toEqual({})
  expect(await ask('stale', 'count_over_time(up[1m])')).toEqual({ [`{${WHERE}}`]: 1 })
})

describe('deltas', () => {
  const started = (seconds: number, lengthSeconds: number, fields: OtlpJson) =>
    point(seconds, {
      startTimeUnixNano: String(BigInt(NOW - (seconds + lengthSeconds) * SECOND) * 1_000_000n),
      ...fields,
    })
  const hits = (dataPoints: readonly OtlpJson[]): OtlpJson => ({
    name: 'hits',
    sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints },
  })

  test('are a running sum', async () => {
    const deltas = [60, 45, 30, 15, 0].map((seconds) => point(seconds, { asInt: '30' }))
    await store('delta', [hits(deltas)])
    expect(await ask('delta', 'hits_total')).toEqual({ [`hits_total{${WHERE}}`]: 150 })
    expect(await ask('delta', 'rate(hits_total[1m])')).toEqual({
      [`{${WHERE}}`]: expect.closeTo(2, 12),
    })
  })

  test('count from the first one on, wherever one begins to read', async () => {
    await store('delta-base', [
      hits([3600, 1800, 600, 300, 0].map((seconds) => point(seconds, { asInt: '10' }))),
    ])
    for (const [expr, value] of [
      ['hits_total', 50],
      ['last_over_time(hits_total[2h])', 50],
      ['hits_total offset 5m', 40],
      ['last_over_time(hits_total[1h] offset 1h)', 10],
      ['min_over_time(hits_total[11m])', 30],
      ['resets(hits_total[2h])', 0],
    ] as const) {
      expect(Object.values(await ask('delta-base', expr)), expr).toEqual([value])
    }
  })

  test('begin with 0 where the first one began to count', async () => {
    await store('delta-start', [hits([started(60, 30, { asInt: '6' }), started(30, 30, { asInt: '4' })])])
    expect(await ask('delta-start', 'increase(hits_total[2m] offset 30s)')).toEqual({
      [`{${WHERE}}`]: expect.closeTo(10, 12),
    })
    expect(await ask('delta-start', 'hits_total', NOW - 80 * SECOND)).toEqual({ [`hits_total{${WHERE}}`]: 0 })
    expect(await ask('delta-start', 'hits_total', NOW - 91 * SECOND)).toEqual({})
    // With something before it there is no beginning.
    expect(await ask('delta-start', 'count_over_time(hits_total[50s])')).toEqual({ [`{${WHERE}}`]: 1 })
  })

  test('that go up and down are a level of all that is stored', async () => {
    const dataPoints = [5 * 3600, 3 * 3600, 600, 0].map((seconds) => point(seconds, { asInt: '2' }))
    await store('delta-level', [
      { name: 'open', sum: { aggregationTemporality: 1, isMonotonic: false, dataPoints } },
      hits(dataPoints),
    ])
    expect(await ask('delta-level', 'open')).toEqual({ [`open{${WHERE}}`]: 8 })
    expect(await ask('delta-level', 'hits_total')).toEqual({ [`hits_total{${WHERE}}`]: 6 })
  })

  test('that were sent twice count once, those of several senders together', async () => {
    await store('delta-twice', [hits([started(20, 10, { asInt: '5' })])])
    await store('delta-twice', [hits([started(20, 10, { asInt: '5' })])])
    expect(await ask('delta-twice', 'hits_total')).toEqual({ [`hits_total{${WHERE}}`]: 5 })
    const other = { attributes: [...RESOURCE.attributes, text('host.name', 'b')] }
    const message = metricsMessage(
      [hits([started(20, 10, { asInt: '3' }), started(5, 10, { asInt: '1' })])],
      other,
    )
    await storeMessage(deps.storage, 'metrics', message, { now: NOW, tenant: 'delta-twice' })
    expect(await ask('delta-twice', 'hits_total')).toEqual({ [`hits_total{${WHERE}}`]: 9 })
    expect(await ask('delta-twice', 'hits_total offset 6s')).toEqual({ [`hits_total{${WHERE}}`]: 8 })
    // Also where those lie before the range.
    expect(await ask('delta-twice', 'last_over_time(hits_total[10s])')).toEqual({
      [`hits_total{${WHERE}}`]: 9,
    })
  })

  test('of histograms that were sent twice count once, those of several senders together, also before the range', async () => {
    const counted = (seconds: number, factor: number) =>
      started(seconds, 10, {
        count: String(3 * factor),
        sum: 4 * factor,
        explicitBounds: [1],
        bucketCounts: [String(2 * factor), String(factor)],
      })
    const lengths = (dataPoints: readonly OtlpJson[]): OtlpJson => ({
      name: 'lengths',
      histogram: { aggregationTemporality: 1, dataPoints },
    })
    await store('histogram-twice', [lengths([counted(30, 1), counted(20, 10)])])
    await store('histogram-twice', [lengths([counted(20, 10), counted(5, 100)])])
    const other = { attributes: [...RESOURCE.attributes, text('host.name', 'b')] }
    const message = metricsMessage([lengths([counted(15, 1000)])], other)
    await storeMessage(deps.storage, 'metrics', message, { now: NOW, tenant: 'histogram-twice' })
    for (const [expr, value] of [
      ['last_over_time(lengths_count[10s])', 3333],
      ['last_over_time(lengths_sum[10s])', 4444],
      ['last_over_time(lengths_bucket{le="1.0"}[10s])', 2222],
      ['lengths_count offset 6s', 3033],
    ] as const) {
      expect(Object.values(await ask('histogram-twice', expr)), expr).toEqual([value])
    }
  })

  test('count anew from midnight on, and no increase is missed', async () => {
    const MIDNIGHT_AGO = 4 * 3600
    const ages = Array.from({ length: 21 }, (_, i) => MIDNIGHT_AGO + 600 - i * 60)
    const buckets = { count: '3', sum: 4, explicitBounds: [1], bucketCounts: ['2', '1'] }
    const native = { count: '2', sum: 3, scale: 1, positive: { offset: 0, bucketCounts: ['2'] } }
    const points = (fields: OtlpJson) => ages.map((seconds) => started(seconds, 60, fields))
    const delta = { aggregationTemporality: 1 }
    await store('delta-midnight', [
      hits(points({ asInt: '5' })),
      { name: 'lengths', histogram: { ...delta, dataPoints: points(buckets) } },
      { name: 'size', exponentialHistogram: { ...delta, dataPoints: points(native) } },
    ])
    const at = (minutes: number) => NOW - MIDNIGHT_AGO * SECOND + minutes * 60 * SECOND
    for (const [expr, each] of [
      ['hits_total', 5],
      ['lengths_count', 3],
      ['lengths_bucket{le="1.0"}', 2],
      ['histogram_count(size)', 2],
    ] as const) {
      const values = async (minutes: number) => Object.values(await ask('delta-midnight', expr, at(minutes)))
      expect(await values(0), expr).toEqual([11 * each])
      expect(await values(3), expr).toEqual([3 * each])
      const increase = expr.startsWith('hist')
        ? 'histogram_count(increase(size[5m]))'
        : `increase(${expr}[5m])`
      for (const minutes of [-3, 0, 1, 3, 4, 8]) {
        const [found] = Object.values(await ask('delta-midnight', increase, at(minutes))) as [number]
        expect(found, `${increase} at ${minutes}`).toBeLessThan(5 * each + 0.1)
        // The 0 is one sample more in such a window, so that it is extrapolated a little less.
        const hasZero = minutes > 0 && minutes < 5 && !expr.startsWith('hist')
        expect(found, `${increase} at ${minutes}`).toBeGreaterThan(5 * each * (hasZero ? 0.85 : 0.99))
      }
    }
  })

  test('of exponential histograms add up to native histograms', async () => {
    const counts = (factor: number) => ({
      count: String(3 * factor),
      sum: 4 * factor,
      scale: 1,
      positive: { offset: 0, bucketCounts: [String(factor), String(2 * factor)] },
    })
    await store('delta-native', [
      {
        name: 'size',
        exponentialHistogram: {
          aggregationTemporality: 1,
          dataPoints: [point(400, counts(1)), point(60, counts(2)), point(0, counts(3))],
        },
      },
    ])
    expect(await ask('delta-native', 'histogram_count(size)')).toEqual({ [`{${WHERE}}`]: 18 })
    expect(await ask('delta-native', 'histogram_sum(size offset 1m)')).toEqual({ [`{${WHERE}}`]: 12 })
  })
})

describe('histograms', () => {
  const histogram = (seconds: number, factor: number, temporality = 2) => ({
    seconds,
    temporality,
    fields: {
      count: String(10 * factor),
      sum: 5 * factor,
      explicitBounds: [0.5, 1],
      bucketCounts: [6, 3, 1].map((count) => String(count * factor)),
    },
  })
  const metric = (name: string, points: readonly ReturnType<typeof histogram>[]): OtlpJson => ({
    name,
    unit: 's',
    histogram: {
      aggregationTemporality: points[0]?.temporality,
      dataPoints: points.map(({ seconds, fields }) => point(seconds, fields)),
    },
  })

  beforeAll(async () => {
    await store('histogram', [
      metric('latency', [histogram(60, 1), histogram(0, 3)]),
      metric('delta', [histogram(60, 1, 1), histogram(30, 1, 1), histogram(0, 1, 1)]),
      {
        name: 'sumless',
        histogram: { aggregationTemporality: 2, dataPoints: [point(0, { count: '2', bucketCounts: ['2'] })] },
      },
    ])
  })

  test('are buckets that count all below their bound, a sum and a count', async () => {
    expect(await ask('histogram', '{__name__=~"latency.*"}')).toEqual({
      [`latency_seconds_bucket{${WHERE}, le="0.5"}`]: 18,
      [`latency_seconds_bucket{${WHERE}, le="1.0"}`]: 27,
      [`latency_seconds_bucket{${WHERE}, le="+Inf"}`]: 30,
      [`latency_seconds_sum{${WHERE}}`]: 15,
      [`latency_seconds_count{${WHERE}}`]: 30,
    })
  })

  test.each<[string, Record<string, number>]>([
    ['latency_seconds_bucket{le="+Inf"}', { [`latency_seconds_bucket{${WHERE}, le="+Inf"}`]: 30 }],
    ['latency_seconds_count', { [`latency_seconds_count{${WHERE}}`]: 30 }],
    ['latency_seconds_sum{le=""}', { [`latency_seconds_sum{${WHERE}}`]: 15 }],
    ['latency_seconds', {}],
    ['histogram_quantile(0.6, sum by (le) (latency_seconds_bucket))', { '{}': 0.5 }],
    ['delta_seconds_count', { [`delta_seconds_count{${WHERE}}`]: 30 }],
    ['delta_seconds_sum offset 10s', { [`delta_seconds_sum{${WHERE}}`]: 10 }],
    [
      'last_over_time(delta_seconds_bucket{le="1.0"}[20s])',
      { [`delta_seconds_bucket{${WHERE}, le="1.0"}`]: 27 },
    ],
    ['delta_seconds_bucket{le="0.5"}', { [`delta_seconds_bucket{${WHERE}, le="0.5"}`]: 18 }],
    [
      '{__name__=~"sumless_.*"}',
      { [`sumless_bucket{${WHERE}, le="+Inf"}`]: 2, [`sumless_count{${WHERE}}`]: 2 },
    ],
  ])('%s', async (expr, expected) => {
    expect(await ask('histogram', expr)).toEqual(expected)
  })
})

test('what a resource is stands in target_info, and can be put to its series', async () => {
  const resource = {
    attributes: [...RESOURCE.attributes, text('host.name', 'h'), text('k8s.pod.name', 'p-1')],
  }
  const message = metricsMessage(
    [{ name: 'up', gauge: { dataPoints: [point(10, { asInt: '7' })] } }],
    resource,
  )
  await storeMessage(deps.storage, 'metrics', message, { now: NOW, tenant: 'target' })
  expect(await ask('target', 'target_info')).toEqual({
    [`target_info{host_name="h", ${WHERE}, k8s_pod_name="p-1"}`]: 1,
  })
  const joined = { [`{${WHERE}, k8s_pod_name="p-1"}`]: 7 }
  const join =
    'sum by (instance, job, k8s_pod_name) (up * on (job, instance) group_left (k8s_pod_name) target_info)'
  expect(await ask('target', join)).toEqual(joined)
  expect(await ask('target', 'sum without (__name__) (info(up, {k8s_pod_name=~".+"}))')).toEqual(joined)
  expect(await ask('target', 'target_info', NOW + 291 * SECOND)).toEqual({})
})

test('summaries are quantiles, a sum and a count', async () => {
  const quantileValues = [
    { quantile: 0.5, value: 1.5 },
    { quantile: 1, value: 9 },
  ]
  await store('summary', [
    { name: 'rpc', summary: { dataPoints: [point(1, { count: '4', sum: 8, quantileValues })] } },
  ])
  expect(await ask('summary', '{job="shop/cart"}')).toEqual({
    [`rpc{${WHERE}, quantile="0.5"}`]: 1.5,
    [`rpc{${WHERE}, quantile="1.0"}`]: 9,
    [`rpc_sum{${WHERE}}`]: 8,
    [`rpc_count{${WHERE}}`]: 4,
  })
  expect(await ask('summary', 'rpc{quantile="1.0"}')).toEqual({ [`rpc{${WHERE}, quantile="1.0"}`]: 9 })
})

test('what was asked of the index holds until something is written', async () => {
  const writer = createSampleWriter(deps.storage)
  const series = (pod: string) =>
    labelsFrom([
      ['__name__', 'remembered_total'],
      ['pod', pod],
    ])
  const write = (pod: string) =>
    writer.write('memory', [{ labels: series(pod), timestampMs: NOW - 1000, value: 1 }], `memory ${pod}`)
  const asked = async () => {
    const trace = createQueryTrace()
    const result = await engine.instant({
      tenant: 'memory',
      expr: 'count(remembered_total)',
      timeMs: NOW,
      trace,
    })
    return [shown(result)['{}'], trace.units.flatMap(({ statements }) => statements.map(({ name }) => name))]
  }
  await write('a')
  const all = ['metrics.index', 'metrics.hasHistograms', 'metrics.grids']
  expect(await asked()).toEqual([1, expect.arrayContaining(all)])
  expect(await asked()).toEqual([1, ['metrics.grids']])
  await write('b')
  expect(await asked()).toEqual([2, expect.arrayContaining(['metrics.index', 'metrics.grids'])])
  // A histogram makes an answer of numbers alone wrong from then on.
  await writer.write(
    'memory',
    [{ labels: series('c'), timestampMs: NOW - 1000, value: 0, histogram: { ...EMPTY_HISTOGRAM, count: 1 } }],
    'memory c',
  )
  expect((await asked())[0]).toBe(3)
})

describe('samples that rules record', () => {
  const labels = labelsFrom([
    ['__name__', 'job:errors:rate5m'],
    ['job', 'a "b"'],
  ])

  test('are found, end, and are stored once per token', async () => {
    const writer = createSampleWriter(deps.storage)
    await writer.write('rules', [{ labels, timestampMs: NOW - 60_000, value: 0.25 }], 'one')
    await writer.write('rules', [{ labels, timestampMs: NOW - 60_000, value: 0.5 }], 'one')
    expect(await ask('rules', 'job:errors:rate5m')).toEqual({ 'job:errors:rate5m{job="a \\"b\\""}': 0.25 })
    await writer.write('rules', [{ labels, timestampMs: NOW - 1, value: Number.NaN, isStale: true }], 'two')
    expect(await ask('rules', 'job:errors:rate5m')).toEqual({})
    expect(await ask('rules', 'job:errors:rate5m', NOW - 2)).not.toEqual({})
  })

  test('an overlay is seen at once', async () => {
    const overlay = {
      selectSeries: () => [
        { labels, timestamps: Float64Array.of(NOW), values: Float64Array.of(7), stale: null },
      ],
    }
    const result = await engine.instant({
      tenant: 'overlay',
      expr: 'job:errors:rate5m * 2',
      timeMs: NOW,
      overlay,
    })
    expect(shown(result)).toEqual({ '{job="a \\"b\\""}': 14 })
  })
})
