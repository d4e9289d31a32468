import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { DEFAULT_TENANT } from '../../../runtime/access-control.ts'
import { errorResponse } from '../../../runtime/answer-schemas.ts'
import { describeApi } from '../../../runtime/describe-api.ts'
import { AppError } from '../../../runtime/errors.ts'
import { createHttpServer } from '../../../runtime/http-server.ts'
import { insertLogs } from '../../../test/support/insert-logs.ts'
import { insertSpans } from '../../../test/support/insert-spans.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../../test/support/open-query-deps.ts'
import { EVERY_KIND, SAMPLE_TRACE } from '../../../test/support/sample-trace.ts'
import { text } from '../../../test/support/stored-attributes.ts'
import { attributesResponse, attributeValuesResponse } from './register-attribute-routes.ts'
import { logsResponse } from './register-log-routes.ts'
import { registerNativeApi } from './register-native-api.ts'
import { operationsResponse, servicesResponse } from './register-service-routes.ts'
import { heatmapResponse, traceResponse, tracesResponse } from './trace-schemas.ts'

/** A quarter of an hour after the sample trace. */
const NOW_MS = 1_763_626_500_000

let deps: OpenQueryDeps
let app: FastifyInstance

beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW_MS })
  app = createHttpServer({
    access: {
      isEnforced: true,
      authorize: ({ authorization }) => {
        if (authorization === undefined) throw new AppError('UNAUTHENTICATED', 'Cannot authorize: no token')
        return { tenant: authorization.replace('Bearer ', '') }
      },
    },
    tls: null,
    clock: deps.clock,
    logger: deps.logger,
    registry: deps.registry,
  })
  await describeApi(app, null)
  registerNativeApi(app, deps)
  await app.ready()
  await insertSpans(deps.storage, SAMPLE_TRACE.spans)
  await insertLogs(deps.storage, [
    {
      service: 'checkout',
      timeUnixNano: BigInt(NOW_MS - 60_000) * 1_000_000n,
      traceId: SAMPLE_TRACE.traceId,
      severityNumber: 17,
      severityText: 'ERROR',
      body: { kvlistValue: { values: EVERY_KIND } },
      attributes: EVERY_KIND,
      eventName: 'mesh.outlier.ejected',
    },
  ])
})

afterAll(async () => {
  await app.close()
  await deps.close()
})

/** Asks the server and holds the answer against the schema that the API's description shows. */
async function get<Schema extends z.ZodType>(path: string, schema: Schema, tenant = DEFAULT_TENANT) {
  const response = await app.inject({ url: path, headers: { authorization: `Bearer ${tenant}` } })
  expect({ path, status: response.statusCode, error: response.json().error }).toMatchObject({ status: 200 })
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
  return schema.parse(response.json()) as z.output<Schema>
}

async function refused(path: string, tenant = DEFAULT_TENANT) {
  const response = await app.inject({ url: path, headers: { authorization: `Bearer ${tenant}` } })
  return { status: response.statusCode, ...errorResponse.parse(response.json()).error }
}

describe('GET /api/traces/{traceId}', () => {
  test('answers everything that was sent, resources and scopes once', async () => {
    const answer = await get(`/api/traces/${SAMPLE_TRACE.traceId}`, traceResponse)
    expect(answer).toMatchObject({
      traceId: SAMPLE_TRACE.traceId,
      startTimeUnixNano: '1763625600123456789',
      durationNanos: '250000999',
      isTruncated: false,
    })
    expect(answer.resources).toHaveLength(2)
    expect(answer.scopes).toHaveLength(2)
    const spans = answer.spans.map(({ resource, scope, ...span }) => ({
      ...span,
      traceId: answer.traceId,
      startTimeUnixNano: BigInt(span.startTimeUnixNano),
      durationNanos: BigInt(span.durationNanos),
      events: span.events.map((event) => ({ ...event, timeUnixNano: BigInt(event.timeUnixNano) })),
      resource: answer.resources[resource],
      scope: answer.scopes[scope],
    }))
    expect(spans).toEqual(SAMPLE_TRACE.spans)
  })

  test('shows the attempts of a request', async () => {
    const answer = await get(`/api/traces/${SAMPLE_TRACE.traceId}`, traceResponse)
    expect(answer.spans.map(({ mesh }) => mesh.retryAttempt)).toEqual([0, 1, 1])
  })

  test('takes an id without its leading zeros, in upper case', async () => {
    await get(`/api/traces/${SAMPLE_TRACE.traceId.slice(1).toUpperCase()}`, traceResponse)
  })

  test('cuts at maxSpans and says so', async () => {
    const answer = await get(`/api/traces/${SAMPLE_TRACE.traceId}?maxSpans=1`, traceResponse)
    expect(answer).toMatchObject({ isTruncated: true, spans: [{ name: 'GET /cart' }] })
  })

  test('looks only in the range given', async () => {
    await get(`/api/traces/${SAMPLE_TRACE.traceId}?start=now-1h`, traceResponse)
    expect(await refused(`/api/traces/${SAMPLE_TRACE.traceId}?start=now-10m`)).toMatchObject({ status: 404 })
  })

  test('is 404 for an unknown trace and for the trace of another tenant', async () => {
    const missing = { status: 404, code: 'NOT_FOUND' }
    expect(await refused(`/api/traces/${'1'.repeat(32)}`)).toMatchObject(missing)
    expect(await refused(`/api/traces/${SAMPLE_TRACE.traceId}`, 'blue')).toMatchObject(missing)
  })
})

describe('GET /api/traces', () => {
  test('finds by everything at once', async () => {
    const query = [
      'service=frontend&operation=POST%20checkout&kind=client&status=error&error=true&minDuration=200ms&maxDuration=0.2s',
      'attr=http.response.status_code%3D503&attr=host.cpus%3D8&flag=UF&flag=UO&retried=true&httpStatus=503&upstream=checkout',
      'start=2025-11-20T08:00:00Z&end=1763625601.5&limit=5&order=duration',
    ].join('&')
    const page = await get(`/api/traces?${query}`, tracesResponse)
    expect(page).toEqual({
      traces: [
        {
          traceId: SAMPLE_TRACE.traceId,
          rootService: 'frontend',
          rootName: 'GET /cart',
          startTimeUnixNano: '1763625600123456789',
          durationNanos: '250000999',
          spanCount: 3,
          errorCount: 2,
          services: [
            { service: 'frontend', spanCount: 2, errorCount: 1 },
            { service: 'checkout', spanCount: 1, errorCount: 1 },
          ],
          matched: {
            spanId: 'c8be7c827a314442',
            service: 'frontend',
            name: 'POST checkout',
            startTimeUnixNano: '1763625600128456789',
            durationNanos: '200000000',
            isError: true,
          },
        },
      ],
      cursor: null,
      isPartial: false,
    })
  })

  test('searches the last hour when no range is given', async () => {
    expect((await get('/api/traces', tracesResponse)).traces).toHaveLength(1)
    expect((await get('/api/traces?end=now-16m', tracesResponse)).traces).toHaveLength(0)
  })

  test('goes on with the cursor', async () => {
    await insertSpans(
      deps.storage,
      [1, 2, 3].map((n) => ({
        tenant: 'paging',
        traceId: String(n),
        spanId: String(n),
        service: 'a',
        startTimeUnixNano: BigInt(NOW_MS - n * 1000) * 1_000_000n,
      })),
    )
    const first = await get('/api/traces?limit=2', tracesResponse, 'paging')
    const second = await get(`/api/traces?limit=2&cursor=${first.cursor}`, tracesResponse, 'paging')
    expect([...first.traces, ...second.traces].map(({ traceId }) => Number(traceId))).toEqual([1, 2, 3])
    expect(second.cursor).toBeNull()
    expect(await refused(`/api/traces?service=b&cursor=${first.cursor}`, 'paging')).toMatchObject({
      status: 400,
      parameter: 'cursor',
    })
  })
})

describe('a wrong parameter is named, with what is expected:', () => {
  test.each([
    ['/api/traces?servce=a', 'servce'],
    ['/api/traces?limit=0', 'limit: expected a whole number from 1 to 1000'],
    ['/api/traces?limit=1001', 'limit: expected a whole number from 1 to 1000'],
    ['/api/traces?limit=1.5', 'limit: expected a whole number from 1 to 1000'],
    ['/api/traces?minDuration=5', 'minDuration: expected a duration such as 250ms or 1h30m, found "5"'],
    [
      '/api/traces?start=yesterday',
      'start: expected an RFC 3339 time, Unix seconds, or now-1h, found "yesterday"',
    ],
    ['/api/traces?kind=SERVER', 'kind: expected one of unspecified, internal, server'],
    ['/api/traces?status=bad', 'status: expected one of unset, ok, error'],
    ['/api/traces?attr=novalue', 'expected key=value, found "novalue"'],
    ['/api/traces?flag=U+O', 'expected an Envoy response flag such as UO'],
    ['/api/traces?retried=yes', 'retried: expected true or false'],
    ['/api/traces?order=slow', 'order: expected time or duration'],
    ['/api/traces?service=a&service=b', 'service'],
    ['/api/traces?start=now&end=now-1h', 'is not before end'],
    ['/api/traces?cursor=x', 'the cursor is malformed'],
    ['/api/traces/heatmap?step=x', 'step: expected a duration such as 30s or 5m'],
    ['/api/traces/xyz', 'traceId: expected up to 32 hex digits'],
    [
      '/api/logs?severity=loud',
      'severity: expected one of trace, debug, info, warn, error, fatal, or a number',
    ],
    ['/api/logs?spanId=x', 'spanId: expected up to 16 hex digits'],
    ['/api/services?limit=1', 'limit'],
    ['/api/attributes?level=trace', 'expected one of span, resource, scope, log, metric'],
  ])('%s', async (path, message) => {
    const error = await refused(path)
    expect(error).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT' })
    expect(error.message).toContain(message)
  })
})

describe('names', () => {
  test('GET /api/services', async () => {
    expect(await get('/api/services', servicesResponse)).toEqual({
      services: [
        { service: 'checkout', spanCount: 1, errorCount: 1 },
        { service: 'frontend', spanCount: 2, errorCount: 1 },
      ],
    })
  })

  test('GET /api/services/{service}/operations', async () => {
    expect(await get('/api/services/frontend/operations', operationsResponse)).toEqual({
      operations: [
        { name: 'GET /cart', kinds: ['server'], spanCount: 1, errorCount: 0 },
        { name: 'POST checkout', kinds: ['client'], spanCount: 1, errorCount: 1 },
      ],
    })
    const servers = await get('/api/services/frontend/operations?kind=server', operationsResponse)
    expect(servers.operations).toHaveLength(1)
  })

  test('a service may have any name', async () => {
    const service = 'a/b c%2F?&ü'
    await insertSpans(deps.storage, [
      {
        tenant: 'odd',
        traceId: '1',
        spanId: '1',
        service,
        name: 'x',
        startTimeUnixNano: BigInt(NOW_MS - 1) * 1_000_000n,
      },
    ])
    const path = `/api/services/${encodeURIComponent(service)}/operations`
    expect((await get(path, operationsResponse, 'odd')).operations).toHaveLength(1)
  })

  test('GET /api/attributes and the values of a key', async () => {
    const { attributes } = await get('/api/attributes', attributesResponse)
    expect(attributes).toContainEqual({ key: 'bytes', level: 'span', types: ['bytes'] })
    expect(attributes).toContainEqual({ key: 'host.cpus', level: 'resource', types: ['int'] })
    const { values } = await get('/api/attributes/http.response.status_code/values', attributeValuesResponse)
    expect(values).toEqual([{ value: '503', type: 'int', count: 2 }])
  })
})

test('GET /api/traces/heatmap gives counts with the bounds of their durations', async () => {
  const fromRollUps = await get('/api/traces/heatmap?service=frontend&step=5m', heatmapResponse)
  expect(fromRollUps).toMatchObject({ stepMs: 300_000, source: 'roll-ups' })
  const fromSpans = await get('/api/traces/heatmap?service=frontend&step=5m&minDuration=1ns', heatmapResponse)
  expect(fromSpans).toEqual({ ...fromRollUps, source: 'spans' })
  const root = fromSpans.cells.find(({ errorCount }) => errorCount === 0)
  expect(root).toMatchObject({ timeMs: 1_763_625_600_000, spanCount: 1 })
  expect(BigInt(root?.minDurationNanos ?? 0)).toBeLessThanOrEqual(250_000_999n)
  expect(BigInt(root?.maxDurationNanos ?? 0)).toBeGreaterThanOrEqual(250_000_999n)
})

describe('GET /api/logs', () => {
  test('answers records as they were sent', async () => {
    const page = await get('/api/logs?severity=error&service=checkout', logsResponse)
    expect(page).toMatchObject({
      logs: [
        {
          traceId: SAMPLE_TRACE.traceId,
          spanId: null,
          eventName: 'mesh.outlier.ejected',
          body: { kvlistValue: { values: EVERY_KIND } },
          attributes: EVERY_KIND,
          resource: 0,
        },
      ],
      resources: [{ attributes: [text('service.name', 'checkout')] }],
      cursor: null,
    })
    expect((await get('/api/logs?severity=fatal', logsResponse)).logs).toEqual([])
  })

  test('finds by trace id in all that is stored', async () => {
    await insertLogs(deps.storage, [
      {
        tenant: 'old',
        service: 'a',
        timeUnixNano: BigInt(NOW_MS - 5 * 86_400_000) * 1_000_000n,
        traceId: 'ab',
      },
    ])
    expect((await get('/api/logs?traceId=ab', logsResponse, 'old')).logs).toHaveLength(1)
    expect((await get('/api/logs?traceId=ab&start=now-1d', logsResponse, 'old')).logs).toHaveLength(0)
  })
})

describe('the description', () => {
  test('is open, and names every route with its parameters and answers', async () => {
    const response = await app.inject('/api/openapi.json')
    expect(response.statusCode).toBe(200)
    const document = response.json()
    expect(Object.keys(document.paths).sort()).toEqual([
      '/api/attributes',
      '/api/attributes/{key}/values',
      '/api/logs',
      '/api/metrics/cardinality',
      '/api/services',
      '/api/services/{service}/operations',
      '/api/traces',
      '/api/traces/heatmap',
      '/api/traces/{traceId}',
    ])
    const search = document.paths['/api/traces'].get
    expect(search.parameters.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['service', 'attr', 'minDuration', 'start', 'cursor', 'order']),
    )
    expect(JSON.stringify(search.responses['200'])).toContain('TracePage')
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['AnyValue', 'KeyValue', 'Span', 'TraceSummary', 'LogRecord', 'Error']),
    )
  })

  test('refers only to what it holds', async () => {
    const document = (await app.inject('/api/openapi.json')).json()
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, ref]) => ref ?? '',
    )
    expect(references.length).toBeGreaterThan(5)
    for (const reference of new Set(references)) {
      const found = reference
        .replace('#/', '')
        .split('/')
        .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], document)
      expect({ reference, found }).toMatchObject({ reference, found: expect.anything() })
    }
  })

  test('is browsable without a token', async () => {
    const page = await app.inject('/api/docs/')
    expect(page.statusCode).toBe(200)
    expect(page.headers['content-type']).toContain('text/html')
  })

  test.each(['/api/docs', '/api/docs/'])('%s has all that it refers to', async (address) => {
    const { body } = await app.inject(address)
    const references = [...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, reference]) => reference ?? '')
    expect(references.length).toBeGreaterThan(4)
    for (const reference of references) {
      const { pathname } = new URL(reference, `http://127.0.0.1${address}`)
      expect({ pathname, status: (await app.inject(pathname)).statusCode }).toEqual({ pathname, status: 200 })
    }
  })
})

test('nothing else is answered without a token', async () => {
  for (const path of ['/api/traces', '/api/services', '/api/logs', `/api/traces/${SAMPLE_TRACE.traceId}`]) {
    expect((await app.inject(path)).statusCode).toBe(401)
  }
})
