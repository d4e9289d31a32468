import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { labelsFrom } from '../../../model/labels.ts'
import { createHttpServer } from '../../../runtime/http-server.ts'
import { storeMessage } from '../../../test/support/decode-message.ts'
import { metricsMessage } from '../../../test/support/metric-messages.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../../test/support/open-query-deps.ts'
import { text } from '../../../test/support/stored-attributes.ts'
import { createSampleWriter } from '../../metrics/create-sample-writer.ts'
import { cardinalityResponse } from './register-cardinality-routes.ts'
import { registerNativeApi } from './register-native-api.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let deps: OpenQueryDeps
let app: FastifyInstance
let nowMs: number

beforeAll(async () => {
  // When a series was first seen is told by ClickHouse's clock.
  deps = await openQueryDeps()
  nowMs = deps.clock.now()
  app = createHttpServer({
    access: { isEnforced: false, authorize: () => ({ tenant: 'default' }) },
    tls: null,
    clock: deps.clock,
    logger: deps.logger,
    registry: deps.registry,
  })
  registerNativeApi(app, deps)
  await app.ready()
  const writer = createSampleWriter(deps.storage)
  const sample = (labels: Record<string, string>, ageMs: number) => ({
    labels: labelsFrom(Object.entries(labels)),
    timestampMs: nowMs - ageMs,
    value: 1,
  })
  const requests = (pod: number, ageMs: number) =>
    sample({ __name__: 'requests_total', job: 'cart', pod: `pod-${pod}`, path: `/${pod % 2}` }, ageMs)
  // Ten pods of days ago, four of which go on; twelve are new, two of which have no sample of this hour.
  const old = Array.from({ length: 10 }, (_, pod) => requests(pod, 3 * DAY))
  await writer.write('default', old, 'old')
  await writer.write('default', [sample({ __name__: 'up', job: 'db' }, 3 * DAY)], 'up-old')
  await deps.storage.command(
    `INSERT INTO prom_index (tenant, name, job, id, day, first_seen, kind, metric, labels)
SELECT tenant, name, job, id, day, now('UTC') - INTERVAL 3 DAY, kind, metric, labels FROM prom_index`,
  )
  const going = Array.from({ length: 4 }, (_, pod) => requests(pod, 60_000))
  const fresh = Array.from({ length: 12 }, (_, pod) => requests(100 + pod, pod < 10 ? 60_000 : 2 * HOUR))
  await writer.write('default', [...going, ...fresh], 'new')
  await writer.write('default', [sample({ __name__: 'up', job: 'db' }, 0)], 'up')
  await writer.write('other', [sample({ __name__: 'theirs', secret: 'x' }, 0)], 'other')
  const histogram = {
    name: 'latency',
    unit: 'ms',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [
        {
          timeUnixNano: String(BigInt(nowMs) * 1_000_000n),
          count: '1',
          explicitBounds: [1],
          bucketCounts: ['1', '0'],
        },
      ],
    },
  }
  const message = metricsMessage([histogram], { attributes: [text('service.name', 'cart')] })
  await storeMessage(deps.storage, 'metrics', message, { now: nowMs, tenant: 'default' })
})
afterAll(async () => {
  await app.close()
  await deps.close()
})

async function ask(query: Record<string, string> = {}): Promise<z.output<typeof cardinalityResponse>> {
  const response = await app.inject({ url: '/api/metrics/cardinality', query })
  expect(response.statusCode, response.body).toBe(200)
  return cardinalityResponse.parse(response.json())
}

describe('GET /api/metrics/cardinality', () => {
  test('counts series by metric, label and value', async () => {
    const found = await ask()
    expect(found).toMatchObject({
      metrics: 3,
      series: 18,
      activeInHour: { series: 16, isEstimate: false },
      newInDay: 13,
      newInHour: 13,
    })
    expect(found.byMetric).toEqual([
      { metric: 'requests_total', series: 16, newInHour: 12, newInDay: 12 },
      { metric: 'latency_milliseconds', series: 1, newInHour: 1, newInDay: 1 },
      { metric: 'up', series: 1, newInHour: 0, newInDay: 0 },
    ])
    expect(found.byLabel).toEqual([
      { label: 'pod', values: 16, series: 16, bytes: 4 * 5 + 12 * 7 },
      { label: 'job', values: 2, series: 18, bytes: 17 * 4 + 2 },
      { label: 'path', values: 2, series: 16, bytes: 32 },
    ])
    expect(found.byPair.slice(0, 4)).toEqual([
      { label: 'job', value: 'cart', series: 17 },
      { label: 'path', value: '/0', series: 8 },
      { label: 'path', value: '/1', series: 8 },
      { label: 'job', value: 'db', series: 1 },
    ])
  })

  test('names the metric that grows and the label at fault', async () => {
    const { offenders } = await ask()
    expect(offenders[0]).toMatchObject({
      metric: 'requests_total',
      newInDay: 12,
      label: 'pod',
      values: 16,
      newValues: 12,
    })
    expect(offenders[0]?.examples).toHaveLength(3)
    for (const value of offenders[0]?.examples ?? []) expect(value).toMatch(/^pod-1\d\d$/)
    expect(offenders.map(({ metric }) => metric)).toEqual(['requests_total', 'latency_milliseconds'])
  })

  test('shows growth by hours and days', async () => {
    const { growth } = await ask()
    expect(growth.hours).toHaveLength(24)
    expect(growth.hours.reduce((sum, { newSeries }) => sum + newSeries, 0)).toBe(13)
    expect(growth.days).toHaveLength(7)
    expect(growth.days.map(({ newSeries }) => newSeries).slice(0, 5)).toEqual([0, 0, 0, 11, 0])
    expect(growth.days[3]?.series).toBe(11)
    expect(growth.days[6]?.start).toBe(`${new Date(nowMs).toISOString().slice(0, 10)}T00:00:00.000Z`)
  })

  test.each<[Record<string, string>, string[]]>([
    [{ metric: 'up' }, ['up']],
    [{ metric: 'latency_milliseconds' }, ['latency_milliseconds']],
    [{ label: 'pod' }, ['requests_total']],
    [{ 'match[]': '{job="db"}' }, ['up']],
    [{ 'match[]': '{job="db"}', metric: 'requests_total' }, []],
    [{ limit: '1' }, ['requests_total']],
    [{ metric: 'theirs' }, []],
  ])('of %j', async (query, metrics) => {
    expect((await ask(query)).byMetric.map(({ metric }) => metric)).toEqual(metrics)
  })

  test('counts the values of one label', async () => {
    const { byPair } = await ask({ label: 'path' })
    expect(byPair).toEqual([
      { label: 'path', value: '/0', series: 8 },
      { label: 'path', value: '/1', series: 8 },
    ])
  })

  test.each([
    ['match[]=up&match[]=up', 400],
    ['match[]=sum(up)', 400],
    ['match[]={', 400],
    ['limit=0', 400],
    ['matric=up', 400],
  ])('refuses %s', async (query, status) => {
    const response = await app.inject({ url: `/api/metrics/cardinality?${query}` })
    expect(response.statusCode).toBe(status)
  })
})
