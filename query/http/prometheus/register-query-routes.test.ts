import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { createHttpServer } from '../../../runtime/http-server.ts'
import type { ManagedStorage, Select, Storage } from '../../../storage/storage.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../../test/support/open-query-deps.ts'
import { waitUntil } from '../../../test/support/wait-until.ts'
import { createMetricsEngine } from '../../metrics/create-metrics-engine.ts'
import { createSampleWriter } from '../../metrics/create-sample-writer.ts'
import { createChangeLog } from '../../promql/frontend/change-log.ts'
import { createRangeCache } from '../../promql/frontend/range-cache.ts'
import type { MatrixSeries, QueryEngine } from '../../promql/query-engine.ts'
import type { QueryBounds } from './prometheus-api-deps.ts'
import { registerPrometheusApi } from './register-prometheus-api.ts'
import { writeQueryAnswer } from './write-query-answer.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const NOW_S = NOW / 1000
const BOUNDS: QueryBounds = { timeoutMs: 20_000, concurrency: 1, maxSamples: 1_000_000, cache: null }

let deps: OpenQueryDeps
const open: FastifyInstance[] = []

beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
  const samples = Array.from({ length: 60 }, (_, i) => ({
    labels: ['__name__', 'm', 'x', String(i % 3)],
    timestampMs: NOW - 10_000 * i,
    value: i,
  }))
  await createSampleWriter(deps.storage).write('default', samples, 'test')
})
afterAll(async () => {
  await Promise.all(open.map((app) => app.close()))
  await deps.close()
})

async function serve(engine: QueryEngine, bounds = BOUNDS): Promise<FastifyInstance> {
  const { clock, logger } = deps
  const access = { isEnforced: false, authorize: () => ({ tenant: 'default' }) }
  const app = createHttpServer({ access, tls: null, clock, logger, registry: new Registry() })
  registerPrometheusApi(app, { ...deps, engine, bounds })
  await app.ready()
  open.push(app)
  return app
}

async function ask(app: FastifyInstance, path: string, parameters: Record<string, string>) {
  const response = await app.inject({
    url: `/prometheus/api/v1/${path}?${new URLSearchParams(parameters)}`,
  })
  return { status: response.statusCode, body: response.json() }
}

describe('how a query was answered', () => {
  const range = { query: 'sum by (x) (m)', start: String(NOW_S - 600), end: String(NOW_S), step: '15' }

  test('is told when asked, part by part', async () => {
    const changes = createChangeLog()
    const cache = createRangeCache({ maxBytes: 2 ** 24, changes, isSoleWriter: true, clock: deps.clock })
    const app = await serve(createMetricsEngine(deps), { ...BOUNDS, cache })
    // All in one split of time.
    const earlier = { ...range, end: String(NOW_S - 60) }
    expect((await ask(app, 'query_range', earlier)).body).not.toHaveProperty('plan')
    const { body } = await ask(app, 'query_range', { ...range, end: String(NOW_S - 30), debug: 'plan' })
    expect(body).toMatchObject({
      status: 'success',
      plan: {
        parts: [
          { start: NOW_S - 600, end: NOW_S - 60, from: 'cache', units: [] },
          { start: NOW_S - 45, end: NOW_S - 30, from: 'engine' },
        ],
      },
    })
    expect(body.plan.text[0]).toMatch(/^2 parts, 1 from memory, \d+ statements?, \d+ rows read, [\d.]+ ms$/)
    expect(body.plan.text).toContainEqual(expect.stringContaining('from memory'))
    const instant = await app.inject({
      method: 'POST',
      url: '/prometheus/api/v1/query',
      payload: 'query=m&debug=plan',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    const { plan } = instant.json()
    expect(plan.parts).toMatchObject([{ start: NOW_S, end: NOW_S, from: 'engine' }])
    expect(plan.text.length).toBeGreaterThan(1)
  })

  test('statistics', async () => {
    const app = await serve(createMetricsEngine(deps))
    const stats = async (path: string, parameters: Record<string, string>) =>
      (await ask(app, path, parameters)).body.data.stats
    expect(await stats('query', { query: 'm' })).toBeUndefined()
    expect(await stats('query', { query: 'm', stats: '1' })).toMatchObject({
      timings: { evalTotalTime: expect.any(Number), execTotalTime: expect.any(Number) },
      samples: { totalQueryableSamples: 3, peakSamples: expect.any(Number) },
    })
    const { samples } = await stats('query_range', {
      query: 'sum(rate(m[1m])) + count(m{x="1"})',
      start: String(NOW_S - 60),
      end: String(NOW_S),
      step: '60',
      stats: 'all',
    })
    expect(samples).toMatchObject({
      totalQueryableSamplesPerStep: [
        [NOW_S - 60, 7],
        [NOW_S, 7],
      ],
      totalQueryableSamples: 14,
    })
  })
})

function connections(app: FastifyInstance): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}

describe('a large answer', () => {
  /** Like a grid of a panel. */
  function bigEngine(series: number, points: number): QueryEngine {
    const timestamps = Float64Array.from({ length: points }, (_, i) => NOW + i * 15_000 + 7)
    const matrix: MatrixSeries[] = Array.from({ length: series }, (_, i) => ({
      labels: ['__name__', 'm', 'i', `ü"${i}`],
      timestamps,
      values: timestamps.map((_, at) => Math.sin(i + at) * 10 ** ((at % 40) - 20)),
    }))
    const result = { type: 'matrix', matrix, warnings: ['w'], infos: [] } as const
    return { instant: async () => result, range: async () => result }
  }

  test('is written in pieces', async () => {
    const app = await serve(bigEngine(1000, 241))
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/prometheus/api/v1/query?query=m`)
    const body = JSON.parse(await response.text())
    expect(body).toMatchObject({ status: 'success', warnings: ['w'] })
    expect(body.data.result.length).toBe(1000)
    expect(body.data.result[999].metric).toEqual({ __name__: 'm', i: 'ü"999' })
    expect(body.data.result[5].values[240][0]).toBe((NOW + 240 * 15_000 + 7) / 1000)
    for (const i of [0, 1, 39, 240]) {
      expect(Number(body.data.result[7].values[i][1])).toBe(Math.sin(7 + i) * 10 ** ((i % 40) - 20))
    }
  })

  test.each(['at once', 'slowly'])('is the same to the last byte when it is read %s', async (how) => {
    const engine = bigEngine(1500, 241)
    const app = await serve(engine)
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const get = async () => {
      const asked = request({ port, path: '/prometheus/api/v1/query?query=m' }).end()
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      const pieces: Buffer[] = []
      for await (const piece of response) {
        pieces.push(piece as Buffer)
        if (how === 'slowly' && pieces.length % 20 === 0)
          await new Promise((resolve) => setTimeout(resolve, 5))
      }
      return Buffer.concat(pieces)
    }
    const expected: Buffer[] = []
    const result = await engine.instant({ tenant: 't', expr: 'm', timeMs: 0 })
    const notes = { warnings: ['w'], infos: [], stats: null, plan: null }
    for await (const piece of writeQueryAnswer(result, null, notes, systemClock, () => false)) {
      expected.push(piece)
    }
    for (const body of await Promise.all([get(), get(), get()])) {
      expect(body.equals(Buffer.concat(expected))).toBe(true)
    }
  })

  test('takes memory that was sent once more', async () => {
    const result = await bigEngine(1000, 241).instant({ tenant: 't', expr: 'm', timeMs: 0 })
    const notes = { warnings: [], infos: [], stats: null, plan: null }
    const memoriesWhen = async (areSent: () => boolean) => {
      const memories = new Set<ArrayBufferLike>()
      for await (const { buffer } of writeQueryAnswer(result, null, notes, systemClock, areSent)) {
        memories.add(buffer)
      }
      return memories.size
    }
    const all = await memoriesWhen(() => false)
    expect(all).toBeGreaterThan(50)
    expect(await memoriesWhen(() => true)).toBe(2)
  })

  test('lets others have their turn between the pieces', async () => {
    const result = await bigEngine(100, 241).range({
      tenant: 't',
      expr: 'm',
      startMs: 0,
      endMs: 0,
      stepMs: 1,
    })
    const notes = { warnings: [], infos: [], stats: null, plan: null }
    const turnsWhile = async (msPerLook: number) => {
      let now = 0
      const clock = {
        monotonic: () => {
          now += msPerLook
          return now
        },
      }
      let turns = 0
      let pieces = 0
      let isDone = false
      const turn = () => {
        turns += 1
        if (!isDone) setImmediate(turn)
      }
      setImmediate(turn)
      for await (const piece of writeQueryAnswer(result, null, notes, clock, () => false))
        pieces += Math.sign(piece.length)
      isDone = true
      return { turns, pieces }
    }
    const slow = await turnsWhile(20)
    expect(slow.pieces).toBeGreaterThan(8)
    expect(slow.turns).toBeGreaterThan(slow.pieces - 3)
    expect((await turnsWhile(0.01)).turns).toBeLessThan(3)
  })

  test('that nobody reads to its end is given up', async () => {
    const timestamps = Float64Array.from({ length: 241 }, (_, i) => NOW + i)
    let isRead = 0
    const series = { labels: ['i', '1'], timestamps, values: timestamps }
    const matrix = new Proxy(
      Array.from({ length: 50_000 }, () => series),
      {
        get: (list, name) => {
          if (typeof name === 'string' && /^\d+$/.test(name)) isRead = Number(name)
          return Reflect.get(list, name) as unknown
        },
      },
    )
    const result = { type: 'matrix', matrix, warnings: [], infos: [] } as const
    const app = await serve({ instant: async () => result, range: async () => result })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const client = request({ port, path: '/prometheus/api/v1/query?query=m' })
    client.on('error', () => undefined).end()
    const [response] = (await once(client, 'response')) as [IncomingMessage]
    response.on('error', () => undefined)
    await once(response, 'readable')
    client.destroy()
    await waitUntil('the connection is gone', async () => (await connections(app)) === 0)
    const reached = isRead
    const next = await fetch(`http://127.0.0.1:${port}/prometheus/api/v1/format_query?query=m`)
    expect(next.status).toBe(200)
    expect(isRead - reached).toBeLessThan(1000)
    expect(isRead).toBeLessThan(49_000)
  })

  test('is cut to the limit', async () => {
    const app = await serve(bigEngine(30, 2))
    const { body } = await ask(app, 'query', { query: 'm', limit: '2' })
    expect(body.data.result.length).toBe(2)
    expect(body.warnings).toEqual(['w', 'results truncated due to limit'])
    expect((await ask(app, 'query', { query: 'm', limit: '30' })).body.warnings).toEqual(['w'])
  })
})

describe('a client that goes away', () => {
  /** Every statement takes seconds, those excepted that a first query asks about the database. */
  async function serveSlowly(asked: Select[]): Promise<FastifyInstance> {
    let isSlow = false
    const slow = (question: Select): Select => {
      if (!isSlow) return question
      asked.push(question)
      return {
        ...question,
        sql: `SELECT * FROM (${question.sql}) WHERE (SELECT sum(sleepEachRow(0.05)) FROM numbers(600) SETTINGS max_block_size = 1) >= 0`,
      }
    }
    const storage: Storage = {
      ...deps.storage,
      select: (question) => deps.storage.select(slow(question)),
      selectColumns: (question) => deps.storage.selectColumns(slow(question)),
    }
    const app = await serve(createMetricsEngine({ storage, clock: deps.clock }))
    expect((await ask(app, 'query', { query: 'm' })).status).toBe(200)
    isSlow = true
    return app
  }

  test('ends its statements and lets the next query run', async () => {
    const asked: Select[] = []
    const app = await serveSlowly(asked)
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const running = async () => {
      const rows = await (deps.storage as ManagedStorage).inspect<{ query: string }>(
        "SELECT query FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%system.%'",
      )
      return rows.length
    }
    const client = request({ port, path: '/prometheus/api/v1/query?query=m' })
    client.on('error', () => undefined).end()
    await waitUntil('the statement runs', async () => (await running()) > 0)
    const leftAt = systemClock.monotonic()
    client.destroy()
    await waitUntil('the statement ends', async () => (await running()) === 0)
    expect(asked.every(({ signal }) => signal?.aborted === true)).toBe(true)
    // There is room for one query at a time, which the first has left.
    const next = await fetch(`http://127.0.0.1:${port}/prometheus/api/v1/query?query=1`)
    expect(next.status).toBe(200)
    // Left alone, the statement goes on for the twenty seconds of its limit.
    expect(systemClock.monotonic() - leftAt).toBeLessThan(15_000)
  })

  test('a query whose time is up ends its statements', async () => {
    const asked: Select[] = []
    const app = await serveSlowly(asked)
    expect(await ask(app, 'query', { query: 'm', timeout: '200ms' })).toEqual({
      status: 503,
      body: { status: 'error', errorType: 'timeout', error: 'query timed out in expression evaluation' },
    })
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.every(({ signal }) => signal?.aborted === true)).toBe(true)
  })
})
