import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertSpans } from '../../../test/support/insert-spans.ts'
import { type OpenFacades, openFacades } from '../../../test/support/open-facades.ts'
import { decodeTraceMessage } from '../../../test/support/otlp-trace-schema.ts'
import { SAMPLE_TRACE } from '../../../test/support/sample-trace.ts'
import { encodeOtlpJson } from '../../traces/encode-otlp-json.ts'
import { tempoTraceV1, tempoTraceV2 } from './encode-tempo-trace.ts'

const START_NS = 1_763_625_600_123_456_789n
const NOW = 1_763_626_000_000
const SHORT_ID = '00000000000000008448eb211c80319c'
const SAMPLE = '0af7651916cd43dd8448eb211c80319c'

let facades: OpenFacades

beforeAll(async () => {
  facades = await openFacades({ now: NOW })
  await insertSpans(facades.deps.storage, [
    ...SAMPLE_TRACE.spans,
    {
      traceId: SHORT_ID,
      spanId: '1',
      parentSpanId: '00000000000000ff',
      service: 'frontend',
      name: 'job/a b',
      startTimeUnixNano: START_NS + 60_000_000_000n,
      durationNanos: 5_000_000n,
      attributes: [
        { key: 'peer', value: { stringValue: 'db "1"' } },
        { key: 'int', value: { intValue: '404' } },
      ],
    },
    { tenant: 'other', traceId: 'abc', spanId: '1', service: 'secret', startTimeUnixNano: START_NS },
  ])
})

afterAll(() => facades.close())

async function get(url: string, headers: Record<string, string> = {}) {
  const answer = await facades.app.inject({ url: `/tempo/api${url}`, headers })
  return { status: answer.statusCode, type: answer.headers['content-type'], answer }
}

async function json(url: string, headers: Record<string, string> = {}): Promise<unknown> {
  const { answer } = await get(url, headers)
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json()
}

test('echo and buildinfo', async () => {
  const { status, type, answer } = await get('/echo')
  expect([status, type, answer.body]).toEqual([200, 'text/plain; charset=utf-8', 'echo'])
  expect(await json('/status/buildinfo')).toMatchObject({ version: expect.stringMatching(/^2\.\d+\.\d+$/) })
})

describe('a trace by its id', () => {
  test('as JSON', async () => {
    expect(await json(`/traces/${SAMPLE}`)).toEqual(tempoTraceV1.json(SAMPLE_TRACE))
    expect(await json(`/v2/traces/${SAMPLE}`)).toEqual(tempoTraceV2.json(SAMPLE_TRACE))
  })

  test('as protobuf, every field as it was stored', async () => {
    const accept = { accept: 'application/protobuf' }
    const expected = encodeOtlpJson(SAMPLE_TRACE.spans)
    const v1 = await get(`/traces/${SAMPLE}?start=1763625000&end=1763626000`, accept)
    expect(v1.type).toBe('application/protobuf')
    expect(decodeTraceMessage('TracesData', v1.answer.rawPayload)).toEqual(expected)
    const v2 = await get(`/v2/traces/${SAMPLE}`, accept)
    expect(decodeTraceMessage('TraceByIdResponse', v2.answer.rawPayload)).toEqual({
      trace: expected,
      metrics: {},
    })
  })

  test('with leading zeros left out', async () => {
    expect((await get('/v2/traces/8448eb211c80319c')).status).toBe(200)
  })

  test('errors are plain text', async () => {
    const text = async (url: string, headers = {}) => {
      const { status, type, answer } = await get(url, headers)
      expect(type).toBe('text/plain; charset=utf-8')
      return [status, answer.body]
    }
    expect(await text('/traces/123')).toEqual([404, 'trace not found'])
    expect(await text('/v2/traces/123')).toEqual([404, 'trace not found'])
    expect(await text('/traces/abc')).toEqual([404, 'trace not found'])
    expect(await text('/traces/xyz')).toEqual([
      400,
      'invalid trace id: expected up to 32 hex digits, not all of them 0',
    ])
    expect((await text('/search?q={a'))[0]).toBe(400)
    expect((await text('/search?tags=a'))[0]).toBe(400)
    expect((await text('/v2/search/tags?scope=all'))[0]).toBe(400)
    expect(await text('/metrics/query_range')).toEqual([
      404,
      "Cannot GET /tempo/api/metrics/query_range: no such path in Tempo's API here",
    ])
    expect((await text('/echo', { authorization: 'Bearer nobody' }))[0]).toBe(401)
  })
})

describe('search', () => {
  test('gives metadata of traces, newest first', async () => {
    const spanSet = (spans: unknown[]) => ({ spans, matched: 1 })
    const job = spanSet([
      {
        spanID: '0000000000000001',
        name: 'job/a b',
        startTimeUnixNano: '1763625660123456789',
        durationNanos: '5000000',
        attributes: [{ key: 'service.name', value: { stringValue: 'frontend' } }],
      },
    ])
    const call = spanSet([
      {
        spanID: 'c8be7c827a314442',
        name: 'POST checkout',
        startTimeUnixNano: '1763625600128456789',
        durationNanos: '200000000',
        attributes: [
          { key: 'service.name', value: { stringValue: 'frontend' } },
          { key: 'status', value: { stringValue: 'error' } },
        ],
      },
    ])
    expect(await json('/search?tags=service.name%3Dfrontend&start=1763625000&end=1763626000')).toEqual({
      traces: [
        {
          traceID: SHORT_ID,
          rootServiceName: '<root span not yet received>',
          rootTraceName: '',
          startTimeUnixNano: '1763625660123456789',
          durationMs: 5,
          spanSet: job,
          spanSets: [job],
          serviceStats: { frontend: { spanCount: 1 } },
        },
        {
          traceID: SAMPLE,
          rootServiceName: 'frontend',
          rootTraceName: 'GET /cart',
          startTimeUnixNano: '1763625600123456789',
          durationMs: 250,
          spanSet: call,
          spanSets: [call],
          serviceStats: {
            frontend: { spanCount: 2, errorCount: 1 },
            checkout: { spanCount: 1, errorCount: 1 },
          },
        },
      ],
      metrics: {},
    })
  })

  test.each([
    ['q={}', [SHORT_ID, SAMPLE]],
    ['q={}&limit=1', [SHORT_ID]],
    ['q={resource.service.name="checkout"}', [SAMPLE]],
    ['q={resource.service.name="frontend" && duration>100ms}', [SAMPLE]],
    ['q={status=error && kind=client}', [SAMPLE]],
    ['q={name="job/a b"}', [SHORT_ID]],
    ['q={span.peer="db \\"1\\""}', [SHORT_ID]],
    ['q={span.int=200}', [SAMPLE]],
    ['q={resource.host.cpus=8}', [SAMPLE]],
    ['q={span.host.cpus=8}', []],
    ['q={.host.cpus=8}', [SAMPLE]],
    ['q={.yes=true}', [SAMPLE]],
    ['tags=int=404', [SHORT_ID]],
    ['tags=error=true service.name=checkout', [SAMPLE]],
    ['minDuration=100ms', [SAMPLE]],
    ['maxDuration=5ms&tags=name="job/a b"', [SHORT_ID]],
    ['q={}&start=1763625000&end=1763625601', [SAMPLE]],
  ])('%s', async (query, ids) => {
    const url = `/search?${query.replace(/=(.*?)(&(?=\w+=)|$)/g, (_, value: string, end: string) => `=${encodeURIComponent(value)}${end}`)}`
    const { traces } = (await json(url)) as { traces: { traceID: string }[] }
    expect(traces.map(({ traceID }) => traceID)).toEqual(ids)
  })
})

describe('tags', () => {
  test('names', async () => {
    const { tagNames } = (await json('/search/tags')) as { tagNames: string[] }
    expect(tagNames).toEqual(expect.arrayContaining(['host.cpus', 'int', 'peer', 'service.name', 'text']))
    expect(tagNames).not.toContain('duration')
    expect(tagNames).toEqual([...tagNames].sort())
    expect(await json('/search/tags?scope=resource')).toEqual({
      tagNames: ['host.cpus', 'service.name'],
      metrics: {},
    })
    expect(await json('/search/tags?scope=intrinsic')).toMatchObject({
      tagNames: ['duration', 'kind', 'name', 'status'],
    })
  })

  test('names by scope', async () => {
    const { scopes } = (await json('/v2/search/tags')) as { scopes: { name: string; tags: string[] }[] }
    expect(scopes.map(({ name }) => name)).toEqual(['span', 'resource', 'intrinsic'])
    expect(scopes[1]).toEqual({ name: 'resource', tags: ['host.cpus', 'service.name'] })
    expect(await json('/v2/search/tags?scope=event')).toEqual({ scopes: [], metrics: {} })
    expect(await json('/v2/search/tags', { authorization: 'Bearer other' })).toMatchObject({
      scopes: [{ name: 'intrinsic' }],
    })
  })

  test.each([
    ['service.name', ['checkout', 'frontend']],
    ['name', ['GET /cart', 'POST', 'POST checkout', 'job/a b']],
    ['int', ['200', '404']],
    ['status', ['error', 'ok', 'unset']],
    ['nothing', []],
  ])('values of %s', async (tag, tagValues) => {
    expect(await json(`/search/tag/${tag}/values`)).toEqual({ tagValues, metrics: {} })
  })

  test.each([
    [
      'resource.service.name',
      '',
      [
        ['string', 'checkout'],
        ['string', 'frontend'],
      ],
    ],
    [
      '.service.name',
      '',
      [
        ['string', 'checkout'],
        ['string', 'frontend'],
      ],
    ],
    ['name', '{resource.service.name="checkout"}', [['string', 'POST']]],
    ['span:name', '{resource.service.name="checkout" && name=}', 4],
    ['span.yes', '', [['bool', 'true']]],
    [
      '.int',
      '',
      [
        ['int', '200'],
        ['int', '404'],
      ],
    ],
    ['span.double', '', [['float', '0.1']]],
    ['resource.host.cpus', '', [['int', '8']]],
    ['span.host.cpus', '', []],
    ['kind', '', 6],
    ['span.bytes', '', []],
    ['span.peer', '', [['string', 'db "1"']]],
  ])('typed values of %s %s', async (tag, q, expected) => {
    const url = `/v2/search/tag/${encodeURIComponent(tag)}/values?q=${encodeURIComponent(q)}`
    const { tagValues } = (await json(url)) as { tagValues: { type: string; value: string }[] }
    if (typeof expected === 'number') expect(tagValues).toHaveLength(expected)
    else expect(tagValues.map(({ type, value }) => [type, value]).sort()).toEqual(expected)
  })
})
