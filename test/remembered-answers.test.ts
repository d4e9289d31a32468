import { setTimeout } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { watchChanges } from '../app/watch-changes.ts'
import { DEFAULT_QUERY_BOUNDS } from '../query/http/prometheus/prometheus-api-deps.ts'
import { createMetricsEngine } from '../query/metrics/create-metrics-engine.ts'
import { createSampleWriter } from '../query/metrics/create-sample-writer.ts'
import { createQueryFrontend } from '../query/promql/frontend/create-query-frontend.ts'
import { createQueryReport } from '../query/promql/frontend/query-report.ts'
import { systemClock } from '../runtime/clock.ts'
import { queryConfig } from '../storage/config.ts'
import { type InsertNotice, watchInserts } from '../storage/watch-inserts.ts'
import { storeMessage } from './support/decode-message.ts'
import { metricsMessage, sumMetric } from './support/metric-messages.ts'
import { type OpenQueryDeps, openQueryDeps } from './support/open-query-deps.ts'
import type { OtlpJson } from './support/otlp-messages.ts'
import { seededRandom } from './support/seeded-random.ts'
import { createSpanMessage } from './support/span-message.ts'
import { text } from './support/stored-attributes.ts'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 0, 2, 7)
const START = NOW - 2 * HOUR

let deps: OpenQueryDeps
beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
})
afterAll(() => deps.close())

function point(ms: number, fields: OtlpJson): OtlpJson {
  return { timeUnixNano: String(BigInt(ms) * 1_000_000n), ...fields }
}

function requests(points: readonly OtlpJson[], job = 'cart'): Uint8Array {
  return metricsMessage([sumMetric(points)], { attributes: [text('service.name', job)] })
}

describe('an insert tells of its tenants and of its earliest time', () => {
  const notices: InsertNotice[] = []
  const watched = () =>
    watchInserts(
      deps.storage,
      new Set(['otlp_points', 'otlp_histograms', 'prom_samples', 'spans']),
      (notice) => void notices.push(notice),
    )

  test('of points, histograms and spans as receivers write them', async () => {
    notices.length = 0
    const storage = watched()
    await storeMessage(
      storage,
      'metrics',
      requests([point(NOW - 5000, { asInt: '1' }), point(NOW - 61_234, { asInt: '2' })]),
      { now: NOW, tenant: 'a' },
    )
    const dataPoints = [point(NOW - 7, { count: '1', explicitBounds: [1], bucketCounts: ['1', '0'] })]
    const histogram = { name: 'h', histogram: { aggregationTemporality: 2, dataPoints } }
    await storeMessage(storage, 'metrics', metricsMessage([histogram]), { now: NOW, tenant: 'ü' })
    const spans = createSpanMessage(3, 'cart')
    spans.renew(1, NOW - 42)
    await storeMessage(storage, 'traces', spans.bytes, { now: NOW, tenant: 'b' })
    expect(notices).toEqual([
      { table: 'otlp_points', tenants: ['a'], earliestMs: NOW - 61_234 - 1 },
      { table: 'otlp_histograms', tenants: ['ü'], earliestMs: NOW - 7 - 1 },
      { table: 'spans', tenants: ['b'], earliestMs: NOW - 42 - 1 },
    ])
  })

  test('of a young counter from its start on', async () => {
    notices.length = 0
    const started = (ms: number) => ({ startTimeUnixNano: String(BigInt(ms) * 1_000_000n), asInt: '1' })
    await storeMessage(watched(), 'metrics', requests([point(NOW, started(NOW - 30_000))]), { now: NOW })
    await storeMessage(watched(), 'metrics', requests([point(NOW, started(NOW - 3 * HOUR))]), { now: NOW })
    expect(notices.map(({ earliestMs }) => earliestMs)).toEqual([NOW - 30_001, NOW - 1])
  })

  test('of samples as rules write them', async () => {
    notices.length = 0
    const labels = ['__name__', 'm', 'x', '1']
    const samples = [NOW, NOW - 1, NOW - 2000].map((timestampMs) => ({ labels, timestampMs, value: 1 }))
    await createSampleWriter(watched()).write('t', samples, 'watched')
    expect(notices).toEqual([{ table: 'prom_samples', tenants: ['t'], earliestMs: NOW - 2001 }])
  })

  test('what cannot be read may be anything; what fails may be there', async () => {
    notices.length = 0
    const failing = watchInserts(
      { ...deps.storage, insertNative: () => Promise.reject(new Error('away')) },
      new Set(['prom_samples']),
      (notice) => void notices.push(notice),
    )
    const insert = {
      table: 'prom_samples' as const,
      columns: [{ name: 'tenant', type: 'Array(String)' }],
      blocks: [Buffer.from([1, 1])],
      rows: 1,
      deduplicationToken: 'x',
    }
    await expect(failing.insertNative(insert)).rejects.toThrow('away')
    expect(notices).toEqual([{ table: 'prom_samples', tenants: null, earliestMs: Number.NEGATIVE_INFINITY }])
  })
})

describe('answers that are remembered', () => {
  test('are right after everything that comes, early or late', async () => {
    const { storage, bounds } = watchChanges(deps.storage, queryConfig.parse({}), {
      clock: deps.clock,
      registry: new Registry(),
    })
    const engine = createMetricsEngine({ storage, clock: deps.clock })
    const frontend = createQueryFrontend({ engine, clock: systemClock, ...bounds })
    const writer = createSampleWriter(storage)
    const range = { startMs: START, endMs: NOW, stepMs: 30_000, tenant: 'default' }
    let fromMemory = 0
    const check = async (what: string) => {
      for (const expr of [
        'sum(rate(requests_total[5m]))',
        'r',
        'count({job="cart"})',
        `r @ ${START / 1000}`,
      ]) {
        const report = createQueryReport()
        const [answer, expected] = [
          await frontend.range({ ...range, expr, report }),
          await engine.range({ ...range, expr }),
        ]
        expect(answer, `${expr} after ${what}`).toEqual(expected)
        if (report.parts.some(({ from }) => from === 'cache')) fromMemory += 1
      }
    }
    const cumulative = (fromMs: number, toMs: number) => {
      const points: OtlpJson[] = []
      for (let ms = fromMs; ms < toMs; ms += 15_000) {
        points.push(point(ms, { asInt: String(Math.floor((ms - START) / 1000)) }))
      }
      return requests(points)
    }
    const r = (timestampMs: number, value: number) =>
      writer.write(
        'default',
        [{ labels: ['__name__', 'r', 'job', 'x'], timestampMs, value }],
        `r${timestampMs}`,
      )

    await check('nothing')
    await storeMessage(storage, 'metrics', cumulative(START, NOW - HOUR), { now: NOW })
    await check('an hour of a counter')
    await storeMessage(storage, 'metrics', cumulative(NOW - HOUR, NOW - 300_000), { now: NOW })
    await check('the rest of it')
    await r(NOW - 60_000, 5)
    await check('a recorded sample')
    await r(START + 1000, 7)
    await check('a recorded sample that is late')
    await r(START - 1000, 8)
    await check('one that is even later')
    await storeMessage(storage, 'metrics', requests([point(NOW - 90 * 60_000, { asInt: '9' })], 'late'), {
      now: NOW,
    })
    await check('a late point of a new series')
    // The control: with nothing said of it, what was remembered is wrong.
    expect(fromMemory).toBeGreaterThan(8)
    await createSampleWriter(deps.storage).write(
      'default',
      [{ labels: ['__name__', 'r', 'job', 'x'], timestampMs: NOW - HOUR, value: 1 }],
      'unseen',
    )
    await expect(check('an insert that is not seen')).rejects.toThrow('after an insert that is not seen')
  })

  test('come in less than ten milliseconds', async () => {
    const { storage, bounds } = watchChanges(deps.storage, queryConfig.parse({}), {
      clock: deps.clock,
      registry: new Registry(),
    })
    const engine = createMetricsEngine({ storage, clock: deps.clock })
    const frontend = createQueryFrontend({ engine, clock: systemClock, ...bounds })
    const labels = (i: number) => ['__name__', 'many', 'i', String(i), 'job', `j${i % 20}`]
    const samples = Array.from({ length: 4000 }, (_, i) => ({
      labels: labels(i % 200),
      timestampMs: NOW - 300_000 * Math.floor(i / 200),
      value: i,
    }))
    await createSampleWriter(storage).write('default', samples, 'many')
    const ask = (endMs: number) =>
      frontend.range({
        tenant: 'default',
        expr: 'sum by (job) (rate(many[10m]))',
        startMs: endMs - HOUR,
        endMs,
        stepMs: 15_000,
      })
    await ask(NOW)
    const times: number[] = []
    for (let i = 0; i < 25; i += 1) {
      const startedAt = systemClock.monotonic()
      await ask(NOW)
      times.push(systemClock.monotonic() - startedAt)
      await setTimeout(1)
    }
    // The quickest: the others may have waited for a machine that is busy.
    expect(Math.min(...times)).toBeLessThan(10)
  })
})

test.each(['pushdown', 'raw'] as const)('the parts of a range are the whole, %s', async (path) => {
  const engine = createMetricsEngine(deps, { path })
  const frontend = createQueryFrontend({ ...DEFAULT_QUERY_BOUNDS, engine, clock: systemClock })
  const random = seededRandom(3)
  const tenant = `parts-${path}`
  const points = (value: (i: number) => OtlpJson) =>
    Array.from({ length: 700 }, (_, i) => i)
      .filter(() => random.below(10) > 0)
      .map((i) => point(START + i * 10_000 + random.below(3000), value(i)))
  const delta = {
    name: 'changes',
    sum: {
      aggregationTemporality: 1,
      isMonotonic: true,
      dataPoints: points(() => ({ asInt: String(random.below(9)) })),
    },
  }
  const cumulative = sumMetric(points((i) => ({ asInt: String((i % 90) * 3) })))
  const gauge = { name: 'level', gauge: { dataPoints: points(() => ({ asDouble: random.next() * 100 })) } }
  const message = metricsMessage([delta, cumulative, gauge], {
    attributes: [text('service.name', 'cart')],
  })
  await storeMessage(deps.storage, 'metrics', message, { now: NOW, tenant })
  for (const expr of [
    'requests_total',
    'changes_total',
    'rate(changes_total[1m])',
    'sum(increase(requests_total[2m]))',
    'max by (job) (level) - min_over_time(level[3m])',
    'avg_over_time(level[90s:20s] offset 1m)',
    'changes(level[2m]) + resets(requests_total[4m])',
    '{job="cart"}',
  ]) {
    const query = { tenant, expr, startMs: START - HOUR, endMs: NOW, stepMs: 5000 }
    const report = createQueryReport()
    const [parts, whole] = [await frontend.range({ ...query, report }), await engine.range(query)]
    expect(report.parts.length).toBeGreaterThan(1)
    if (parts.type !== 'matrix' || whole.type !== 'matrix') throw new Error('no matrix')
    expect(whole.matrix.length, expr).toBeGreaterThan(0)
    expect(
      parts.matrix.map(({ labels, timestamps }) => [labels, timestamps]),
      expr,
    ).toEqual(whole.matrix.map(({ labels, timestamps }) => [labels, timestamps]))
    for (const [i, series] of whole.matrix.entries()) {
      for (const [at, value] of series.values.entries()) {
        expect(parts.matrix[i]?.values[at], `${expr} at ${series.timestamps[at]}`).toBeCloseTo(value, 9)
      }
    }
  }
})
