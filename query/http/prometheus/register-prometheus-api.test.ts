import type { InjectOptions } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeMessage } from '../../../test/support/decode-message.ts'
import { metricsMessage, sumMetric } from '../../../test/support/metric-messages.ts'
import { type OpenFacades, openFacades } from '../../../test/support/open-facades.ts'
import type { OtlpJson } from '../../../test/support/otlp-messages.ts'
import { text } from '../../../test/support/stored-attributes.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const NOW_S = NOW / 1000
const WHERE = { job: 'cart' }
const EXEMPLAR = {
  timeUnixNano: String(BigInt(NOW - 500) * 1_000_000n),
  asDouble: 7.5,
  traceId: '0102030405060708090a0b0c0d0e0f10',
  spanId: 'f0e1d2c3b4a59687',
  filteredAttributes: [text('user', 'u1')],
}

let facades: OpenFacades
beforeAll(async () => {
  facades = await openFacades({ now: NOW })
  const point = (seconds: number, fields: OtlpJson): OtlpJson => ({
    timeUnixNano: String(BigInt(NOW - seconds * 1000) * 1_000_000n),
    ...fields,
  })
  const metrics = [
    sumMetric(
      [60, 30, 0].map((seconds) =>
        point(seconds, { asInt: String(60 - seconds), attributes: [text('code', '200')] }),
      ),
      { description: 'Requests.', unit: '{request}' },
    ),
    {
      name: 'latency',
      unit: 'ms',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          point(0, {
            count: '3',
            sum: 1,
            explicitBounds: [10],
            bucketCounts: ['2', '1'],
            exemplars: [EXEMPLAR],
          }),
        ],
      },
    },
    { name: 'small', gauge: { dataPoints: [point(0, { asDouble: 1e-7 })] } },
  ]
  const message = metricsMessage(metrics, { attributes: [text('service.name', 'cart')] })
  await storeMessage(facades.deps.storage, 'metrics', message, { now: NOW, tenant: 'default' })
})
afterAll(() => facades.close())

async function ask(path: string, options: InjectOptions = {}): Promise<{ status: number; body: unknown }> {
  const response = await facades.app.inject({ url: `/prometheus/api/v1${path}`, ...options })
  return { status: response.statusCode, body: response.json() }
}

function post(path: string, form: Record<string, string>): ReturnType<typeof ask> {
  return ask(path, {
    method: 'POST',
    payload: new URLSearchParams(form).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
}

function ok(data: unknown, more: object = {}) {
  return { status: 200, body: { status: 'success', data, ...more } }
}

function failed(status: number, errorType: string, error: unknown) {
  return { status, body: { status: 'error', errorType, error } }
}

describe('query', () => {
  const vector = {
    resultType: 'vector',
    result: [{ metric: { __name__: 'requests_total', code: '200', ...WHERE }, value: [NOW_S, '60'] }],
  }

  test('gives a vector', async () => {
    expect(await ask('/query?query=requests_total')).toEqual(ok(vector))
    expect(await post('/query', { query: 'requests_total', time: String(NOW_S) })).toEqual(ok(vector))
    expect(await ask(`/query?query=requests_total&time=2026-01-02T04:00:00Z`)).toEqual(ok(vector))
  })

  test.each<[string, unknown]>([
    ['1e-7', { resultType: 'scalar', result: [NOW_S, '0.0000001'] }],
    ['"text"', { resultType: 'string', result: [NOW_S, 'text'] }],
    ['-1/0', { resultType: 'scalar', result: [NOW_S, '-Inf'] }],
    [
      'small',
      {
        resultType: 'vector',
        result: [{ metric: { __name__: 'small', ...WHERE }, value: [NOW_S, '1e-07'] }],
      },
    ],
    ['absent(nothing)', { resultType: 'vector', result: [{ metric: {}, value: [NOW_S, '1'] }] }],
    [
      'requests_total[45s]',
      {
        resultType: 'matrix',
        result: [
          {
            metric: { __name__: 'requests_total', code: '200', ...WHERE },
            values: [
              [NOW_S - 30, '30'],
              [NOW_S, '60'],
            ],
          },
        ],
      },
    ],
  ])('%s', async (query, data) => {
    expect(await ask(`/query?${new URLSearchParams({ query })}`)).toEqual(ok(data))
  })

  test('says what is doubtful, and that it was cut', async () => {
    expect(await ask('/query?query=rate(small[1m])%20or%20quantile(2,small)')).toMatchObject({
      body: { warnings: ['PromQL warning: quantile value should be between 0 and 1, got 2 (1:29)'] },
    })
    expect(await ask('/query?query=rate(small[1m])')).toEqual(ok({ resultType: 'vector', result: [] }))
    expect(await ask(`/query?${new URLSearchParams({ query: '{job="cart"}', limit: '1' })}`)).toMatchObject({
      body: { warnings: ['results truncated due to limit'] },
    })
  })

  test.each<[string, number, string, unknown]>([
    ['', 400, 'bad_data', 'invalid parameter "query": 1:1: parse error: no expression found in input'],
    ['query=a{', 400, 'bad_data', expect.stringMatching(/^invalid parameter "query": 1:3: parse error: /)],
    [
      'query=1&time=x',
      400,
      'bad_data',
      `invalid parameter "time": invalid time value for 'time': cannot parse "x" to a valid timestamp`,
    ],
    [
      'query=1&timeout=x',
      400,
      'bad_data',
      'invalid parameter "timeout": cannot parse "x" to a valid duration',
    ],
    ['query=a{b=~"["}', 400, 'bad_data', expect.stringContaining('parse error')],
    [
      'query=label_replace(a,"b","","c","(")',
      422,
      'execution',
      expect.stringContaining('invalid regular expression'),
    ],
  ])('refuses %s', async (parameters, status, errorType, error) => {
    expect(await ask(`/query?${encodeURI(parameters)}`)).toEqual(failed(status, errorType, error))
  })

  test('belongs to the tenant of the token', async () => {
    const headers = { authorization: 'Bearer other' }
    expect(await ask('/query?query=requests_total', { headers })).toEqual(
      ok({ resultType: 'vector', result: [] }),
    )
    expect(await ask('/query?query=1', { headers: { authorization: 'Bearer nobody' } })).toMatchObject({
      status: 401,
    })
  })
})

describe('query_range', () => {
  const range = (parameters: Record<string, string>) =>
    ask(
      `/query_range?${new URLSearchParams({ query: '1', start: String(NOW_S - 60), end: String(NOW_S), step: '30', ...parameters })}`,
    )

  test('gives a matrix', async () => {
    const values = [0, 30, 60].map((value) => [NOW_S - 60 + value, String(value)])
    const series = { metric: { __name__: 'requests_total', code: '200', ...WHERE }, values }
    expect(await range({ query: 'requests_total', step: '0.5m' })).toMatchObject({ status: 400 })
    expect(await range({ query: 'requests_total', step: '30s' })).toEqual(
      ok({ resultType: 'matrix', result: [series] }),
    )
    expect(await range({ query: 'time()', start: String(NOW_S) })).toEqual(
      ok({ resultType: 'matrix', result: [{ metric: {}, values: [[NOW_S, String(NOW_S)]] }] }),
    )
  })

  test.each<[Record<string, string>, unknown]>([
    [{ start: '' }, 'invalid parameter "start": cannot parse "" to a valid timestamp'],
    [{ end: '1' }, 'invalid parameter "end": end timestamp must not be before start time'],
    [{ step: '' }, 'invalid parameter "step": cannot parse "" to a valid duration'],
    [
      { step: '0' },
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      { start: '0', step: '1' },
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    ],
    [
      { query: 'a[1m]' },
      'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    ],
  ])('refuses %j', async (parameters, error) => {
    expect(await range(parameters)).toEqual(failed(400, 'bad_data', error))
  })

  test('allows 11,000 points and not one more', async () => {
    expect((await range({ start: String(NOW_S - 11_000), step: '1' })).status).toBe(200)
    expect((await range({ start: String(NOW_S - 11_001), step: '1' })).status).toBe(400)
  })
})

describe('series and labels', () => {
  test('series', async () => {
    expect(await ask(`/series?match[]=${encodeURIComponent('{__name__=~"latency.*|small"}')}`)).toEqual(
      ok([
        { __name__: 'latency_milliseconds_bucket', ...WHERE, le: '+Inf' },
        { __name__: 'latency_milliseconds_bucket', ...WHERE, le: '10.0' },
        { __name__: 'latency_milliseconds_count', ...WHERE },
        { __name__: 'latency_milliseconds_sum', ...WHERE },
        { __name__: 'small', ...WHERE },
      ]),
    )
    expect(await post('/series', { 'match[]': 'small' })).toEqual(ok([{ __name__: 'small', ...WHERE }]))
    expect(await ask('/series?match[]=small&match[]=requests_total&limit=1')).toEqual(
      ok([{ __name__: 'requests_total', code: '200', ...WHERE }], {
        warnings: ['results truncated due to limit'],
      }),
    )
    expect(await ask('/series')).toEqual(failed(400, 'bad_data', 'no match[] parameter provided'))
    expect(await ask('/series?match[]=rate(a[1m])')).toMatchObject({ status: 400 })
    const later = NOW_S + 3 * 86_400
    expect(await ask(`/series?match[]=small&start=${later}&end=${later}`)).toEqual(ok([]))
  })

  test('labels', async () => {
    expect(await ask('/labels')).toEqual(ok(['__name__', 'code', 'job', 'le']))
    expect(await ask('/labels?match[]=small')).toEqual(ok(['__name__', 'job']))
  })

  test.each<[string, string[]]>([
    [
      '__name__',
      [
        'latency_milliseconds_bucket',
        'latency_milliseconds_count',
        'latency_milliseconds_sum',
        'requests_total',
        'small',
      ],
    ],
    ['code', ['200']],
    ['le', ['+Inf', '10.0']],
    ['job', ['cart']],
    ['nothing', []],
  ])('the values of %s', async (name, values) => {
    expect(await ask(`/label/${name}/values`)).toEqual(ok(values))
    expect(await ask(`/label/${name}/values?match[]=${encodeURIComponent('{job="cart"}')}`)).toEqual(
      ok(values),
    )
    expect(await ask(`/label/${name}/values?match[]=nothing`)).toEqual(ok([]))
  })
})

test('metadata shows how names were translated', async () => {
  const all = {
    latency_milliseconds: [{ type: 'histogram', help: '', unit: 'ms', otelName: 'latency' }],
    requests_total: [{ type: 'counter', help: 'Requests.', unit: '{request}', otelName: 'requests' }],
    small: [{ type: 'gauge', help: '', unit: '', otelName: 'small' }],
  }
  expect(await ask('/metadata')).toEqual(ok(all))
  expect(await ask('/metadata?metric=small')).toEqual(ok({ small: all.small }))
  expect(await ask('/metadata?limit=1')).toEqual(ok({ latency_milliseconds: all.latency_milliseconds }))
})

test('query_exemplars', async () => {
  const exemplar = {
    labels: { span_id: EXEMPLAR.spanId, trace_id: EXEMPLAR.traceId, user: 'u1' },
    value: '7.5',
    timestamp: NOW_S - 0.5,
  }
  const query =
    'histogram_quantile(0.9, sum by (le) (rate(latency_milliseconds_bucket[5m]))) > requests_total'
  const data = [
    { seriesLabels: { __name__: 'latency_milliseconds_bucket', ...WHERE }, exemplars: [exemplar] },
  ]
  const times = { start: String(NOW_S - 60), end: String(NOW_S) }
  expect(await post('/query_exemplars', { query, ...times })).toEqual(ok(data))
  const exemplars = (more: Record<string, string>) =>
    ask(`/query_exemplars?${new URLSearchParams({ query: 'latency_milliseconds_count', ...times, ...more })}`)
  expect(await exemplars({})).toMatchObject({ body: { data: [{ exemplars: [exemplar] }] } })
  expect(await exemplars({ end: String(NOW_S - 1) })).toEqual(ok([]))
  expect(await exemplars({ query: 'small' })).toEqual(ok([]))
  expect(await exemplars({ end: '1' })).toMatchObject({ status: 400 })
})

test('what belongs to the query language', async () => {
  expect(await ask('/format_query?query=sum(a)by(b)')).toEqual(ok('sum by (b) (a)'))
  expect(await post('/parse_query', { query: 'a' })).toMatchObject({
    body: { data: { type: 'vectorSelector' } },
  })
  expect(await ask('/status/buildinfo')).toMatchObject({ body: { data: { branch: 'meshwatch' } } })
  expect(await ask('/rules')).toEqual(ok({ groups: [] }))
  expect(await ask('/alerts')).toEqual(ok({ alerts: [] }))
  expect(await ask('/nothing')).toMatchObject({ status: 404, body: { errorType: 'not_found' } })
})
