import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SentSeries } from './support/encode-write-request.ts'
import { remoteWrite } from './support/remote-write-client.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

const LIMITS = {
  MESHWATCH_INGEST__SERIES_LIMIT__PER_METRIC: '5',
  MESHWATCH_INGEST__SERIES_LIMIT__GLOBAL: '12',
}
const USERS = ['a', 'b', 'c', 'd', 'e']

let dataDir: string
let server: MeshwatchServer

async function start(): Promise<void> {
  server = await startMeshwatch({ dataDir, environment: LIMITS })
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'meshwatch-series-limit-'))
  await start()
}, 30_000)
afterAll(async () => {
  await server?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

function series(user: string, name = 'logins_total'): SentSeries {
  return {
    labels: ['__name__', name, 'job', 'auth', 'user', user],
    samples: [{ timestampMs: Date.now(), value: 1 }],
  }
}

/** The status and the text that a message of these series is answered with. */
async function write(...sent: readonly SentSeries[]): Promise<{ status: number; text: string }> {
  const { status, text } = await remoteWrite(server.otlpHttpUrl, sent, { version: 1 })
  return { status, text }
}

/** What the message of a gauge with these users is answered with. */
async function exportGauge(name: string, users: readonly string[]): Promise<unknown> {
  const dataPoints = users.map((user) => ({
    timeUnixNano: `${Date.now()}000000`,
    asDouble: 1,
    attributes: [{ key: 'user', value: { stringValue: user } }],
  }))
  const metrics = [{ name, gauge: { dataPoints } }]
  const response = await fetch(`${server.otlpHttpUrl}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }),
  })
  expect(response.status).toBe(200)
  return response.json()
}

async function settled(): Promise<void> {
  await waitUntil('everything is loaded', async () => {
    const body = (await (await fetch(`${server.url}/readyz`)).json()) as {
      dependencies: { ingest: { journalBytes: number } }
    }
    return body.dependencies.ingest.journalBytes === 0
  })
}

async function ownMetric(pattern: RegExp): Promise<string | undefined> {
  return pattern.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]
}

test('new series beyond the limit of their metric are refused, the others go on', async () => {
  expect(await write(...USERS.map((user) => series(user)))).toEqual({ status: 204, text: '' })
  await settled()
  const answer = await write(series('a'), series('f'), series('b'))
  expect(answer.status).toBe(400)
  expect(answer.text).toContain(
    '1 of them: its series is new, and there are as many as ingest.seriesLimit allows',
  )
  expect(await write(...USERS.map((user) => series(user)))).toMatchObject({ status: 204 })
  expect(await ownMetric(/^meshwatch_series_active\{tenant="default"\} (\d+)$/m)).toBe('5')
  expect(
    await ownMetric(/^meshwatch_ingest_refused_total\{signal="metrics",reason="series_limit"\} (\d+)$/m),
  ).toBe('1')
  expect(await server.event('series_limit')).toMatchObject({
    level: 'warn',
    tenant: 'default',
    metric: 'logins_total',
    limit: 'perMetric',
    series: 5,
    label: 'user',
  })
})

test('OTLP is answered with partial success', async () => {
  expect(await exportGauge('sessions', [...USERS, 'f', 'a'])).toEqual({
    partialSuccess: { rejectedDataPoints: '1', errorMessage: expect.stringContaining('ingest.seriesLimit') },
  })
})

test('the limit of all metrics together holds too', async () => {
  expect(await write(series('a', 'one'), series('a', 'two'), series('a', 'three'))).toMatchObject({
    status: 400,
  })
  expect(await write(series('a', 'one'), series('a', 'two'))).toMatchObject({ status: 204 })
  expect(await ownMetric(/^meshwatch_series_active\{tenant="default"\} (\d+)$/m)).toBe('12')
})

test('cardinality shows what makes series many', async () => {
  await settled()
  const response = await fetch(`${server.url}/api/metrics/cardinality?metric=logins_total`)
  expect(await response.json()).toMatchObject({
    series: 5,
    activeInHour: { series: 5, isEstimate: false },
    newInHour: 5,
    offenders: [{ metric: 'logins_total', label: 'user', newValues: 5 }],
  })
})

test('a killed server knows its series again and refuses none of them', async () => {
  await settled()
  server.child.kill('SIGKILL')
  await server.exit
  await start()
  // The first message has the server ask which series there are.
  expect(await write(series('c'))).toMatchObject({ status: 204 })
  await waitUntil('the series are known', async () => {
    return (await ownMetric(/^meshwatch_series_active\{tenant="default"\} (\d+)$/m)) === '12'
  })
  expect(await write(series('f'))).toMatchObject({ status: 400 })
  expect(await write(...USERS.map((user) => series(user)), series('a', 'one'))).toMatchObject({ status: 204 })
  expect(await exportGauge('sessions', USERS)).toEqual({})
  expect(await exportGauge('sessions', ['g'])).toMatchObject({ partialSuccess: { rejectedDataPoints: '1' } })
}, 60_000)
