import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertSpans } from '../../../test/support/insert-spans.ts'
import { type OpenFacades, openFacades } from '../../../test/support/open-facades.ts'
import { SAMPLE_TRACE } from '../../../test/support/sample-trace.ts'
import { encodeOtlpJson } from '../../traces/encode-otlp-json.ts'
import { toJaegerTrace } from './to-jaeger-trace.ts'

const START_NS = 1_763_625_600_123_456_789n
const NOW = 1_763_626_000_000
const SHORT_ID = '00000000000000008448eb211c80319c'

let facades: OpenFacades

beforeAll(async () => {
  facades = await openFacades({ now: NOW })
  await insertSpans(facades.deps.storage, [
    ...SAMPLE_TRACE.spans,
    {
      traceId: SHORT_ID,
      spanId: '1',
      service: 'frontend',
      name: 'job/a b',
      kind: 'internal',
      startTimeUnixNano: START_NS + 60_000_000_000n,
      durationNanos: 5_000_000n,
      attributes: [{ key: 'peer', value: { stringValue: 'db:1' } }],
    },
    { tenant: 'other', traceId: 'abc', spanId: '1', service: 'secret', startTimeUnixNano: START_NS },
  ])
})

afterAll(() => facades.close())

async function get(url: string, headers: Record<string, string> = {}) {
  const answer = await facades.app.inject({ url: `/jaeger/api${url}`, headers })
  return { status: answer.statusCode, type: answer.headers['content-type'], body: answer.json() as unknown }
}

const envelope = (data: unknown, total = 0) => ({ data, total, limit: 0, offset: 0, errors: null })

describe('the older API', () => {
  test('services of the tenant', async () => {
    expect(await get('/services')).toEqual({
      status: 200,
      type: 'application/json; charset=utf-8',
      body: envelope(['checkout', 'frontend'], 2),
    })
    expect((await get('/services', { authorization: 'Bearer other' })).body).toEqual(envelope(['secret'], 1))
  })

  test('operations, by path and by parameter', async () => {
    expect((await get('/services/frontend/operations')).body).toEqual(
      envelope(['GET /cart', 'POST checkout', 'job/a b'], 3),
    )
    expect((await get('/operations?service=frontend')).body).toEqual(
      envelope(
        [
          { name: 'GET /cart', spanKind: 'server' },
          { name: 'POST checkout', spanKind: 'client' },
          { name: 'job/a b', spanKind: 'internal' },
        ],
        3,
      ),
    )
    expect((await get('/operations?service=frontend&spanKind=client')).body).toEqual(
      envelope([{ name: 'POST checkout', spanKind: 'client' }], 1),
    )
    expect((await get('/services/a%2Fb/operations')).body).toEqual(envelope([], 0))
  })

  test('a trace, by its id in either length', async () => {
    expect((await get('/traces/0af7651916cd43dd8448eb211c80319c')).body).toEqual(
      envelope([toJaegerTrace(SAMPLE_TRACE)]),
    )
    for (const id of ['8448eb211c80319c', SHORT_ID, '8448EB211C80319C']) {
      expect((await get(`/traces/${id}`)).body).toMatchObject({ data: [{ traceID: SHORT_ID }] })
    }
  })

  test('a trace of another tenant is not there', async () => {
    expect((await get('/traces/abc')).status).toBe(404)
    expect((await get('/traces/abc', { authorization: 'Bearer other' })).status).toBe(200)
  })

  test('errors have the envelope', async () => {
    const failed = (code: number, msg: string) => ({
      status: code,
      type: 'application/json; charset=utf-8',
      body: { data: null, total: 0, limit: 0, offset: 0, errors: [{ code, msg }] },
    })
    expect(await get('/traces/123')).toEqual(failed(404, 'trace not found'))
    expect(await get('/traces/xyz')).toEqual(
      failed(400, 'Cannot read the trace: the id is not made of up to 32 hex digits'),
    )
    expect(await get('/traces')).toEqual(failed(400, "Cannot search traces: parameter 'service' is required"))
    expect(await get('/operations')).toEqual(
      failed(400, "Cannot list operations: parameter 'service' is required"),
    )
    expect(await get('/services', { authorization: 'Bearer nobody' })).toEqual(
      failed(401, 'Cannot answer: the token is not known'),
    )
    expect((await get('/metrics/latencies?service=a')).status).toBe(400)
    expect(await get('/archive')).toEqual(
      failed(404, "Cannot GET /jaeger/api/archive: no such path in Jaeger's API here"),
    )
  })

  async function found(query: string): Promise<string[]> {
    const { body } = await get(`/traces?start=1763625000000000&end=1763626000000000&${query}`)
    return (body as { data: { traceID: string }[] }).data.map(({ traceID }) => traceID.slice(0, 4))
  }

  test('search: whole traces, newest first', async () => {
    expect(await found('service=frontend')).toEqual(['0000', '0af7'])
    expect(await found('service=frontend&limit=1')).toEqual(['0000'])
    const { body } = await get('/traces?service=checkout&lookback=1h')
    expect(body).toEqual(envelope([toJaegerTrace(SAMPLE_TRACE)]))
  })

  test.each([
    ['service=frontend&operation=GET%20%2Fcart', ['0af7']],
    ['service=frontend&minDuration=100ms', ['0af7']],
    ['service=frontend&maxDuration=10ms', ['0000']],
    [`service=frontend&tags=${encodeURIComponent('{"error":"true"}')}`, ['0af7']],
    [`service=frontend&tags=${encodeURIComponent('{"http.response.status_code":"503"}')}`, ['0af7']],
    [`service=frontend&tags=${encodeURIComponent('{"host.cpus":"8"}')}`, ['0af7']],
    ['service=frontend&tag=peer:db:1', ['0000']],
    ['service=frontend&tag=span.kind:internal', ['0000']],
    ['service=frontend&tag=otel.status_code:ERROR', ['0af7']],
    ['service=nobody', []],
    ['service=frontend&start=1763625600123457', ['0000', '0af7']],
  ])('search by %s', async (query, ids) => {
    expect(await found(query)).toEqual(ids)
  })

  test('several traces by id, with what was not found', async () => {
    const { body } = await get(`/traces?traceID=${SAMPLE_TRACE.traceId}&traceID=9&traceID=${SHORT_ID}`)
    expect(body).toMatchObject({
      data: [{ traceID: SAMPLE_TRACE.traceId }, { traceID: SHORT_ID }],
      errors: [{ msg: 'trace not found', traceID: '00000000000000000000000000000009' }],
    })
  })

  test('dependencies', async () => {
    const link = { parent: 'frontend', child: 'checkout', callCount: 1 }
    expect((await get('/dependencies?endTs=1763626000000&lookback=3600000')).body).toEqual(envelope([link]))
    expect((await get('/dependencies?service=checkout')).body).toEqual(envelope([link]))
    expect((await get('/dependencies?service=other')).body).toEqual(envelope([]))
    expect((await get('/dependencies?endTs=1763620000000&lookback=3600000')).body).toEqual(envelope([]))
  })

  test('service performance', async () => {
    expect((await get('/metrics/minstep')).body).toEqual(envelope(10_000))
    const range = 'endTs=1763625660000&lookback=60000&step=60000&ratePer=60000'
    expect(
      (await get(`/metrics/calls?service=frontend&spanKind=client&groupByOperation=true&${range}`)).body,
    ).toEqual({
      name: 'service_operation_call_rate',
      type: 'GAUGE',
      help: 'calls/sec, grouped by service & operation',
      metrics: [
        {
          labels: [
            { name: 'operation', value: 'POST checkout' },
            { name: 'service_name', value: 'frontend' },
          ],
          metricPoints: [
            { gaugeValue: { doubleValue: 0 }, timestamp: '2025-11-20T08:00:00.000Z' },
            { gaugeValue: { doubleValue: 1 / 60 }, timestamp: '2025-11-20T08:01:00.000Z' },
          ],
        },
      ],
    })
    const errors = await get(`/metrics/errors?service=frontend&spanKind=server&spanKind=client&${range}`)
    expect(errors.body).toMatchObject({
      metrics: [
        { metricPoints: [{ gaugeValue: { doubleValue: 'NaN' } }, { gaugeValue: { doubleValue: 0.5 } }] },
      ],
    })
    const latencies = await get(`/metrics/latencies?service=frontend&quantile=1&${range}`)
    const [, point] = (
      latencies.body as { metrics: [{ metricPoints: [unknown, { gaugeValue: { doubleValue: number } }] }] }
    ).metrics[0].metricPoints
    expect(point.gaugeValue.doubleValue).toBeGreaterThanOrEqual(250)
    expect(point.gaugeValue.doubleValue).toBeLessThan(250 * 2 ** 0.25)
    const coarse = await get(
      '/metrics/calls?service=frontend&endTs=1763625900000&lookback=0&step=300000&ratePer=300000',
    )
    expect(coarse.body).toMatchObject({
      metrics: [{ metricPoints: [{ gaugeValue: { doubleValue: 1 / 300 } }] }],
    })
  })
})

describe('v3', () => {
  const RANGE =
    'query.start_time_min=2025-11-20T07:00:00.000000001Z&query.start_time_max=2025-11-20T09:00:00Z'

  test('services and operations', async () => {
    expect((await get('/v3/services')).body).toEqual({ services: ['checkout', 'frontend'] })
    expect((await get('/v3/operations?service=checkout')).body).toEqual({
      operations: [{ name: 'POST', spanKind: 'server' }],
    })
    expect((await get('/v3/operations?service=frontend&span_kind=internal')).body).toEqual({
      operations: [{ name: 'job/a b', spanKind: 'internal' }],
    })
  })

  test('a trace is OTLP JSON, every field as it was stored', async () => {
    expect(await get('/v3/traces/0af7651916cd43dd8448eb211c80319c?start_time=2025-11-20T08:00:00Z')).toEqual({
      status: 200,
      type: 'application/json; charset=utf-8',
      body: { result: encodeOtlpJson(SAMPLE_TRACE.spans) },
    })
  })

  test('search: whole traces', async () => {
    const { body } = await get(`/v3/traces?${RANGE}&query.service_name=checkout`)
    expect(body).toEqual({ result: encodeOtlpJson(SAMPLE_TRACE.spans) })
  })

  test('search: summaries', async () => {
    const query = `${RANGE}&query.serviceName=frontend&query.attributes=${encodeURIComponent('{"error":"true"}')}`
    expect((await get(`/v3/trace-summaries?${query}`)).body).toEqual({
      summaries: [
        {
          traceId: '0af7651916cd43dd8448eb211c80319c',
          traceID: '0af7651916cd43dd8448eb211c80319c',
          rootServiceName: 'frontend',
          rootOperationName: 'GET /cart',
          minStartTimeUnixNano: '1763625600123456789',
          maxEndTimeUnixNano: '1763625600373457788',
          spanCount: 3,
          errorSpanCount: 2,
          orphanSpanCount: 0,
          services: [
            { name: 'checkout', spanCount: 1, errorSpanCount: 1 },
            { name: 'frontend', spanCount: 2, errorSpanCount: 1 },
          ],
        },
      ],
    })
    expect((await get(`/v3/trace-summaries?${RANGE}&query.service_name=nobody`)).body).toEqual({
      summaries: [],
    })
    const all = await get(`/v3/trace-summaries?${RANGE}&query.num_traces=1`)
    expect(all.body).toMatchObject({ summaries: [{ traceId: SHORT_ID }] })
  })

  test('dependencies', async () => {
    expect(
      (await get('/v3/dependencies?start_time=2025-11-20T07:00:00Z&end_time=2025-11-20T09:00:00Z')).body,
    ).toEqual({ dependencies: [{ parent: 'frontend', child: 'checkout', callCount: '1' }] })
  })

  test('errors have the form of the gRPC gateway', async () => {
    const failed = (httpCode: number, grpcCode: number, httpStatus: string, message: string) => ({
      status: httpCode,
      type: 'application/json; charset=utf-8',
      body: { error: { grpcCode, httpCode, message, httpStatus } },
    })
    expect(await get('/v3/traces/1234')).toEqual(failed(404, 5, 'Not Found', 'trace not found'))
    expect(await get('/v3/traces/xyz')).toEqual(
      failed(400, 3, 'Bad Request', 'malformed parameter trace_id: expected up to 32 hex digits'),
    )
    expect(await get(`/v3/traces?${RANGE}&query.service_name=nobody`)).toEqual(
      failed(404, 5, 'Not Found', 'No traces found'),
    )
    expect(await get('/v3/dependencies?end_time=2025-11-20T09:00:00Z')).toEqual(
      failed(400, 3, 'Bad Request', "Cannot read dependencies: parameter 'startTime' is required"),
    )
    expect(await get('/v3/archive')).toEqual(
      failed(404, 5, 'Not Found', "Cannot GET /jaeger/api/v3/archive: no such path in Jaeger's API v3 here"),
    )
    expect(await get('/v3/services', { authorization: 'Bearer nobody' })).toEqual(
      failed(401, 16, 'Unauthorized', 'Cannot answer: the token is not known'),
    )
  })
})
