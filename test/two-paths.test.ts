import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labelsText } from '../model/labels.ts'
import { createMetricsEngine } from '../query/metrics/create-metrics-engine.ts'
import { createSampleWriter } from '../query/metrics/create-sample-writer.ts'
import type { QueryEngine, QueryResult } from '../query/promql/query-engine.ts'
import { createQueryTrace } from '../query/promql/query-plan.ts'
import { storeMessage } from './support/decode-message.ts'
import { metricHistory } from './support/metric-history.ts'
import { metricsMessage, sumMetric } from './support/metric-messages.ts'
import { type OpenQueryDeps, openQueryDeps } from './support/open-query-deps.ts'
import type { OtlpJson } from './support/otlp-messages.ts'
import { text } from './support/stored-attributes.ts'

const START = Date.UTC(2026, 0, 2, 4)
const LENGTH_MS = 15 * 60_000

let deps: OpenQueryDeps
let raw: QueryEngine
let pushdown: QueryEngine

beforeAll(async () => {
  deps = await openQueryDeps({ now: START + LENGTH_MS })
  raw = createMetricsEngine(deps, { path: 'raw' })
  pushdown = createMetricsEngine(deps, { path: 'pushdown' })
  for (const [instance, zone] of [
    ['i-1', 'x'],
    ['i-2', 'x'],
  ]) {
    await storeOtlp(instance ?? '', zone ?? '', otlpMetrics(instance === 'i-1' ? 1 : 3))
  }
  // The same labels from another resource.
  await storeOtlp('i-1', 'y', [gauge('twins', [point(0, { asInt: '5' })])])
})
afterAll(() => deps.close())

function point(seconds: number, fields: OtlpJson): OtlpJson {
  return { timeUnixNano: String(BigInt(START + seconds * 1000) * 1_000_000n + 123_456n), ...fields }
}

function gauge(name: string, dataPoints: readonly OtlpJson[]): OtlpJson {
  return { name, gauge: { dataPoints } }
}

function otlpMetrics(factor: number): OtlpJson[] {
  const seconds = [0, 15, 30, 45, 61, 75, 90, 105]
  const paths = ['/a', '/b']
  const counts = (i: number) => [6, 3, 1].map((count) => count * (i + 1) * factor)
  return [
    sumMetric(
      paths.flatMap((path, p) =>
        seconds.map((at, i) =>
          point(at, { asInt: String(((i % 5) * (p + 1) + i) * factor), attributes: [text('path', path)] }),
        ),
      ),
      { name: 'requests' },
    ),
    {
      name: 'latency',
      unit: 's',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: seconds.map((at, i) =>
          point(at, {
            count: String(10 * (i + 1) * factor),
            sum: 5.5 * i * factor,
            // Other bounds in the middle of it.
            explicitBounds: i < 4 ? [0.5, 1] : [0.5, 2],
            bucketCounts: counts(i).map(String),
          }),
        ),
      },
    },
    {
      name: 'sumless',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          point(0, { count: '2', sum: 1, bucketCounts: ['2'] }),
          point(20, { count: '3', bucketCounts: ['3'] }),
        ],
      },
    },
    {
      name: 'rpc',
      summary: {
        dataPoints: seconds.map((at, i) =>
          point(at, { count: String(i), sum: i * 2, quantileValues: [{ quantile: 0.5, value: i }] }),
        ),
      },
    },
    gauge('ended', [point(0, { asInt: '1' }), point(60, { flags: 1 })]),
    gauge('twins', [point(0, { asInt: '4' })]),
    gauge('cancelling', [
      point(0, { asDouble: factor === 1 ? 1e16 : -1e16 }),
      point(20, { asDouble: factor }),
    ]),
    {
      name: 'deltas',
      sum: {
        aggregationTemporality: 1,
        isMonotonic: true,
        dataPoints: seconds.map((at) => point(at, { asInt: '7' })),
      },
    },
    {
      name: 'native',
      exponentialHistogram: {
        aggregationTemporality: 2,
        dataPoints: [
          point(0, { count: '3', sum: 4, scale: 1, positive: { offset: 0, bucketCounts: ['1', '2'] } }),
        ],
      },
    },
  ]
}

async function storeOtlp(instance: string, zone: string, metrics: readonly OtlpJson[]): Promise<void> {
  const resource = {
    attributes: [text('service.name', 'cart'), text('service.instance.id', instance), text('zone', zone)],
  }
  const outcome = await storeMessage(deps.storage, 'metrics', metricsMessage(metrics, resource), {
    now: START + LENGTH_MS,
    tenant: 'otlp',
  })
  expect(outcome.rejected).toBe(0)
}

const FUNCTIONS = [
  'rate',
  'increase',
  'delta',
  'irate',
  'idelta',
  'resets',
  'changes',
  'last_over_time',
  'present_over_time',
]
const AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group']

const durations = fc.constantFrom('15s', '1m', '5m', '61s', '1500ms', '7m')
const shifts = fc.constantFrom(
  '',
  '',
  ' offset 1m',
  ' offset -90s',
  ` @ ${START / 1000 + 300}`,
  ' @ end()',
  ' @ start()',
)
const selectors = fc.constantFrom(
  'm_total',
  'm_total{job="a"}',
  'm_total{job!=""}',
  'm_total{pod=~"1|3"}',
  'g',
  'absent_metric',
)

const inner = fc
  .record({ fn: fc.constantFrom(...FUNCTIONS, ''), selector: selectors, range: durations, shift: shifts })
  .map(({ fn, selector, range, shift }) =>
    fn === '' ? `${selector}${shift}` : `${fn}(${selector}[${range}]${shift})`,
  )
const aggregated = fc
  .record({
    op: fc.constantFrom(...AGGREGATIONS),
    by: fc.constantFrom('', ' by (job)', ' by (pod, job)', ' without (pod)', ' by (nothing)', ' without ()'),
    inner,
  })
  .map(({ op, by, inner: arg }) => `${op}${by} (${arg})`)
const whole = fc.oneof(
  inner,
  aggregated,
  fc.record({ a: aggregated, range: durations }).map(({ a, range }) => `max_over_time(${a}[${range}:30s])`),
  fc.tuple(aggregated, aggregated).map(([a, b]) => `${a} / on (job) group_left () ${b}`),
)

type Answer =
  | { readonly error: string }
  | { readonly notes: string[]; readonly series: Map<string, Map<number, number>> }

async function answerOf(answer: Promise<QueryResult>): Promise<Answer> {
  let result: QueryResult
  try {
    result = await answer
  } catch (error) {
    return { error: String(error) }
  }
  const series = new Map<string, Map<number, number>>()
  if (result.type === 'matrix') {
    for (const { labels, timestamps, values } of result.matrix) {
      series.set(labelsText(labels), new Map([...timestamps].map((time, i) => [time, values[i] as number])))
    }
  } else if (result.type === 'vector') {
    for (const { labels, timestampMs, value } of result.vector) {
      series.set(labelsText(labels), new Map([[timestampMs, value]]))
    }
  }
  return { notes: [...result.warnings, ...result.infos].sort(), series }
}

function expectSame(a: Answer, b: Answer): void {
  if ('error' in a || 'error' in b) {
    expect(b).toEqual(a)
    return
  }
  expect(b.notes).toEqual(a.notes)
  expect([...b.series.keys()].sort()).toEqual([...a.series.keys()].sort())
  for (const [name, points] of a.series) {
    const others = b.series.get(name) ?? new Map<number, number>()
    expect([...others.keys()]).toEqual([...points.keys()])
    for (const [time, value] of points) {
      const other = others.get(time) as number
      const isSame =
        Object.is(value, other) || value === other || Math.abs(value - other) <= 1e-9 * Math.abs(value)
      if (!isSame) expect(`${name} at ${time - START}: ${other}`).toBe(`${name} at ${time - START}: ${value}`)
    }
  }
}

describe('both paths give the same', () => {
  test('for random series and expressions', async () => {
    let run = 0
    let computed = 0
    await fc.assert(
      fc.asyncProperty(
        metricHistory('m_total', START, LENGTH_MS),
        metricHistory('g', START, LENGTH_MS),
        fc.array(whole, { minLength: 8, maxLength: 8 }),
        fc.record({
          startMs: fc.integer({ min: -120_000, max: LENGTH_MS }).map((ms) => START + ms),
          stepMs: fc.constantFrom(15_000, 1000, 60_000, 7001),
          count: fc.constantFrom(1, 2, 40),
        }),
        async (counters, gauges, exprs, { startMs, stepMs, count }) => {
          run += 1
          const tenant = `random-${run}`
          const writer = createSampleWriter(deps.storage)
          const samples = [...counters, ...gauges].flatMap((series) => series.samples)
          // In two parts, so that ClickHouse has to bring them together.
          await writer.write(
            tenant,
            samples.filter((_, i) => i % 3 !== 0),
            `${tenant} 1`,
          )
          await writer.write(
            tenant,
            samples.filter((_, i) => i % 3 === 0),
            `${tenant} 2`,
          )
          for (const expr of exprs) {
            const trace = createQueryTrace()
            const query = { tenant, expr, startMs, endMs: startMs + (count - 1) * stepMs, stepMs }
            const [a, b] = await Promise.all([
              answerOf(raw.range(query)),
              answerOf(pushdown.range({ ...query, trace })),
            ])
            if (trace.units.some(({ path }) => path === 'pushdown')) computed += 1
            try {
              expectSame(a, b)
            } catch (error) {
              throw new Error(`${expr}: ${String(error)}`)
            }
          }
        },
      ),
      { numRuns: Number(process.env['TWO_PATHS_RUNS'] ?? 12) },
    )
    // The control: were everything answered from samples, the paths could not differ.
    expect(computed).toBeGreaterThan(run * 4)
  }, 120_000)

  test.each<[string, 'pushdown' | 'raw']>([
    ['requests_total', 'pushdown'],
    ['rate(requests_total[1m])', 'pushdown'],
    ['sum by (path) (increase(requests_total[2m]))', 'pushdown'],
    ['latency_seconds_count', 'pushdown'],
    ['rate(latency_seconds_sum[1m])', 'pushdown'],
    ['latency_seconds_bucket', 'pushdown'],
    ['sum by (le, job) (rate(latency_seconds_bucket[1m]))', 'pushdown'],
    ['sum without (instance) (rate(latency_seconds_bucket[1m]))', 'pushdown'],
    ['sum without (instance, le) (rate(latency_seconds_bucket[1m]))', 'pushdown'],
    ['sum (rate(latency_seconds_bucket[1m]))', 'pushdown'],
    ['histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[2m])))', 'pushdown'],
    ['sumless_sum', 'pushdown'],
    ['sumless_count', 'pushdown'],
    ['rpc_count', 'pushdown'],
    ['avg(rpc_sum)', 'pushdown'],
    ['ended', 'pushdown'],
    ['count_over_time(ended[5m])', 'raw'],
    ['latency_seconds_bucket{le="1.0"}', 'raw'],
    ['rpc', 'raw'],
    ['{__name__=~"latency_seconds_(sum|count)"}', 'raw'],
    ['twins', 'raw'],
    ['rate(deltas_total[1m])', 'raw'],
    ['sum(cancelling)', 'raw'],
    ['native', 'raw'],
  ])('for points of OTLP: %s', async (expr, path) => {
    const trace = createQueryTrace()
    const query = {
      tenant: 'otlp',
      expr,
      startMs: START,
      endMs: START + 200_000,
      stepMs: 10_000,
    }
    const [a, b] = await Promise.all([
      answerOf(raw.range(query)),
      answerOf(pushdown.range({ ...query, trace })),
    ])
    expectSame(a, b)
    expect('series' in a && a.series.size).toBeGreaterThan(0)
    expect(trace.units.map((unit) => unit.path)).toEqual([path])
  })
})
