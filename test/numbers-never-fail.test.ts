import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeMessage } from './support/decode-message.ts'
import { insertLogs } from './support/insert-logs.ts'
import { insertSpans } from './support/insert-spans.ts'
import { metricsMessage } from './support/metric-messages.ts'
import { type OpenFacades, openFacades } from './support/open-facades.ts'
import { SAMPLE_TRACE } from './support/sample-trace.ts'
import { text } from './support/stored-attributes.ts'

const NOW = 1_763_626_000_000
const TRACE = SAMPLE_TRACE.traceId

let facades: OpenFacades

beforeAll(async () => {
  facades = await openFacades({ now: NOW })
  const { storage } = facades.deps
  await insertSpans(storage, SAMPLE_TRACE.spans)
  await insertLogs(storage, [
    { service: 'frontend', timeUnixNano: BigInt(NOW - 2000) * 1_000_000n },
    { service: 'frontend', timeUnixNano: BigInt(NOW - 1000) * 1_000_000n },
  ])
  const points = [60, 45, 30, 15, 0].map((seconds) => ({
    timeUnixNano: String(BigInt(NOW - seconds * 1000) * 1_000_000n),
    asInt: String(60 - seconds),
  }))
  const resource = { attributes: [text('service.name', 'cart')] }
  const message = metricsMessage([{ name: 'up', gauge: { dataPoints: points } }], resource)
  await storeMessage(storage, 'metrics', message, { now: NOW, tenant: 'default' })
})

afterAll(() => facades.close())

async function ask(path: string, parameters: Readonly<Record<string, string>> = {}) {
  const answer = await facades.app.inject({ url: `${path}?${new URLSearchParams(parameters)}` })
  return { status: answer.statusCode, body: answer.body }
}

/** A question, and where numbers stand in it: `name` is a parameter, `#` the number in its text. */
interface Question {
  readonly path: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly places: readonly (readonly [name: string, text?: string])[]
}

const RANGE = [['start'], ['end']] as const
const NATIVE_RANGE = [
  ...RANGE,
  ['start', 'now-#s'],
  ['end', 'now-#s'],
  ['end', 'now+#s'],
  ['start', 'now-#w'],
] as const
const DURATIONS = [
  ['minDuration', '#ns'],
  ['maxDuration', '#ns'],
  ['maxDuration', '#h'],
] as const
const JAEGER_METRICS = [['endTs'], ['lookback'], ['step'], ['ratePer']] as const
const PROMQL = [
  'up @ #',
  'up offset #s',
  'rate(up[#s])',
  'max_over_time(up[#s:#s])',
  'sum_over_time(vector(1)[#s:#ms])',
  'count_over_time(up[#y] offset -#y)',
  'topk(#, up)',
  'up * # ^ #',
  'rate(up[#s] smoothed)',
  'quantile_over_time(#, up[1m])',
  'holt_winters(up[#s], 0.5, 0.5)',
  'predict_linear(up[1m], #)',
  'round(up, #)',
  'limitk(#, up)',
].map((expr) => ['query', expr] as const)
const V3 = {
  'query.startTimeMin': '2025-11-20T07:00:00Z',
  'query.startTimeMax': '2025-11-20T09:00:00Z',
}

const QUESTIONS: readonly Question[] = [
  {
    path: '/jaeger/api/traces',
    parameters: { service: 'frontend' },
    places: [...RANGE, ['limit'], ['lookback', '#s'], ['lookback', '#w'], ...DURATIONS],
  },
  { path: '/jaeger/api/dependencies', places: [['endTs'], ['lookback']] },
  {
    path: '/jaeger/api/metrics/latencies',
    parameters: { service: 'frontend', quantile: '0.9' },
    places: JAEGER_METRICS,
  },
  { path: '/jaeger/api/metrics/calls', parameters: { service: 'frontend' }, places: JAEGER_METRICS },
  {
    path: '/jaeger/api/metrics/errors',
    parameters: { service: 'frontend', groupByOperation: 'true' },
    places: JAEGER_METRICS,
  },
  {
    path: '/jaeger/api/v3/traces',
    parameters: V3,
    places: [['query.searchDepth'], ['query.durationMin', '#ns'], ['query.durationMax', '#s']],
  },
  {
    path: '/jaeger/api/v3/trace-summaries',
    parameters: V3,
    places: [['query.searchDepth'], ['query.num_traces'], ['query.durationMin', '#h']],
  },
  { path: '/tempo/api/search', places: [...RANGE, ['limit'], ['spss'], ...DURATIONS] },
  { path: '/tempo/api/search/tags', places: [...RANGE, ['limit']] },
  { path: '/tempo/api/v2/search/tag/span.http.method/values', places: [...RANGE, ['limit']] },
  { path: '/tempo/api/v2/search/tag/name/values', places: [...RANGE, ['limit']] },
  { path: `/tempo/api/v2/traces/${TRACE}`, places: RANGE },
  {
    path: '/prometheus/api/v1/query',
    parameters: { query: 'up' },
    places: [['time'], ['timeout'], ['lookback_delta'], ['limit'], ...PROMQL],
  },
  {
    path: '/prometheus/api/v1/query_range',
    parameters: { query: 'up', start: '1763625600', end: '1763626000', step: '15' },
    places: [...RANGE, ['step'], ['timeout'], ['lookback_delta'], ['limit'], ...PROMQL],
  },
  { path: '/prometheus/api/v1/query_exemplars', parameters: { query: 'up' }, places: RANGE },
  { path: '/prometheus/api/v1/series', parameters: { 'match[]': 'up' }, places: [...RANGE, ['limit']] },
  { path: '/prometheus/api/v1/labels', places: [...RANGE, ['limit']] },
  { path: '/prometheus/api/v1/label/job/values', places: [...RANGE, ['limit']] },
  { path: '/prometheus/api/v1/metadata', places: [['limit'], ['limit_per_metric']] },
  { path: '/prometheus/api/v1/status/tsdb', places: [['limit']] },
  { path: '/api/services', places: NATIVE_RANGE },
  { path: '/api/services/frontend/operations', places: NATIVE_RANGE },
  {
    path: '/api/traces',
    places: [
      ...NATIVE_RANGE,
      ['limit'],
      ...DURATIONS,
      ['httpStatus'],
      ['grpcStatus'],
      ['attr', 'http.status=#'],
    ],
  },
  { path: '/api/traces/heatmap', places: [...NATIVE_RANGE, ['step', '#ns'], ['step', '#s'], ['step', '#w']] },
  {
    path: '/api/traces/heatmap',
    parameters: { attr: 'a=b' },
    places: [...NATIVE_RANGE, ['step', '#s'], ['step', '#d'], ...DURATIONS],
  },
  { path: `/api/traces/${TRACE}`, places: [...NATIVE_RANGE, ['maxSpans']] },
  { path: '/api/logs', places: [...NATIVE_RANGE, ['limit'], ['severity'], ['attr', 'a=#']] },
  { path: '/api/attributes', places: NATIVE_RANGE },
  { path: '/api/attributes/http.method/values', places: [...NATIVE_RANGE, ['limit']] },
  { path: '/api/metrics/cardinality', places: [['limit']] },
]

/** Where counters, clocks and types end, and around. */
const EDGES = [
  0n,
  1n,
  10n,
  11_000n,
  2n ** 15n,
  2n ** 16n * 86_400n,
  2n ** 31n,
  2n ** 32n,
  2n ** 32n * 5n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n,
  999_999_999_999_999n,
  BigInt(NOW) / 1000n,
  BigInt(NOW),
  BigInt(NOW) * 1000n,
  BigInt(NOW) * 1_000_000n,
  // The ends of DateTime64(9), of a Date of JavaScript's, of the year 9999.
  9_223_372_036n,
  8_640_000_000_000n,
  8_640_000_000_000_000n,
  253_402_300_799n,
]

const number = fc.oneof(
  fc.tuple(fc.constantFrom(...EDGES), fc.constantFrom(-1n, 0n, 1n)).map(([edge, by]) => String(edge + by)),
  fc.tuple(fc.constantFrom(...EDGES)).map(([edge]) => String(-edge)),
  fc.double({ min: 0, max: 53, noNaN: true }).map((exponent) => String(Math.floor(2 ** exponent))),
)

const question = fc.constantFrom(...QUESTIONS).chain(({ path, parameters, places }) =>
  fc
    .array(fc.tuple(fc.constantFrom(...places), number, number), { minLength: 1, maxLength: 4 })
    .map((chosen) => {
      const given: Record<string, string> = { ...parameters }
      for (const [[name, form = '#'], first, second] of chosen) {
        given[name] = form.replace('#', first).replace('#', second)
      }
      return { path, parameters: given }
    }),
)

test('no number anywhere makes the API fail: it answers or says what is wrong with the question', async () => {
  await fc.assert(
    fc.asyncProperty(question, async ({ path, parameters }) => {
      const { status, body } = await ask(path, parameters)
      const isTimely = parameters['timeout'] === undefined
      expect([200, 204, 400, 404, 422, ...(isTimely ? [] : [503])], body).toContain(status)
    }),
    { numRuns: 500 },
  )
}, 120_000)

describe("Jaeger's metrics", () => {
  test.each([
    { ratePer: '999999999999999' },
    { ratePer: '999999999999999', lookback: '0', step: '10000' },
    { ratePer: '60000000', lookback: '60000000', step: '10000' },
    { lookback: '999999999999999', step: '1' },
    { lookback: '999999999999999', ratePer: '999999999999999', step: '99999999999' },
  ])('of more steps than one answer is made from are refused: %j', async (parameters) => {
    for (const metric of ['calls', 'errors', 'latencies']) {
      const given = { service: 'frontend', quantile: '0.5', ...parameters }
      const { status, body } = await ask(`/jaeger/api/metrics/${metric}`, given)
      expect(status).toBe(400)
      expect(body).toMatch(/Cannot read metrics: \d+ steps of \d+ ms, .* are more than 11000/)
    }
  })

  test('of as many steps as there may be are answered, each over all of them', async () => {
    const parameters = { service: 'frontend', lookback: '54990000', ratePer: '55000000', step: '10000' }
    const { status, body } = await ask('/jaeger/api/metrics/calls', parameters)
    expect(status).toBe(200)
    const { metrics } = JSON.parse(body) as { metrics: { metricPoints: unknown[] }[] }
    expect(metrics.map(({ metricPoints }) => metricPoints.length)).toEqual([5500])
    const wide = { service: 'frontend', ratePer: '999999999999999', step: '999999999999999', lookback: '0' }
    expect((await ask('/jaeger/api/metrics/calls', wide)).status).toBe(200)
  })
})

test('a range from before there was time finds what lies in it', async () => {
  const spans = SAMPLE_TRACE.spans.length
  for (const range of [
    { start: '0' },
    { start: '-1' },
    { start: '-62135596800' },
    { start: '0', end: '253402300799' },
    // 2 ** 16 days and a bit: the day begins again in 1970 there.
    { start: '0', end: '5662310500' },
  ]) {
    const found = async (path: string, more: Record<string, string> = {}) => {
      const { status, body } = await ask(path, { ...range, ...more })
      expect([path, range, status], body).toEqual([path, range, 200])
      return { range, ...JSON.parse(body) }
    }
    expect((await found('/api/services')).services).toHaveLength(2)
    expect((await found('/api/traces')).traces).toHaveLength(1)
    expect((await found(`/api/traces/${TRACE}`)).spans).toHaveLength(spans)
    expect((await found('/api/attributes')).attributes).not.toEqual([])
    const ofResource = { attr: 'service.name=frontend' }
    expect((await found('/api/traces', ofResource)).traces).toHaveLength(1)
    const { values } = await found('/api/attributes/service.name/values', { level: 'resource' })
    expect(values).not.toEqual([])
  }
})

test('a limit beyond 32 bits does not begin at nothing again', async () => {
  for (const limit of ['4294967295', '4294967296', '999999999999999']) {
    const { body } = await ask('/prometheus/api/v1/series', { 'match[]': 'up', limit })
    expect(JSON.parse(body).data).toHaveLength(1)
  }
})

test('a column of any width is a column', async () => {
  for (const step of ['21474836480s', '4294967296s', '9007199254740s', '106751d', '10000000w']) {
    for (const more of [{}, { attr: 'a=b' }]) {
      const { status, body } = await ask('/api/traces/heatmap', { ...more, step })
      expect(status, body).toBe(200)
    }
  }
})

test.each([{ start: 'now', end: 'now-285616y' }, { start: 'now-285616y' }, { end: 'now+285616y' }])(
  'a time that no calendar has is refused: %j',
  async (range) => {
    const { status, body } = await ask('/api/services', range)
    expect(status).toBe(400)
    expect(body).toContain('expected an RFC 3339 time')
  },
)

describe('a cursor that was given out and changed', () => {
  const OLD = { start: '0' }

  const tamper = (cursor: string, change: (head: Record<string, unknown>) => unknown): string => {
    const [head = '', ...rest] = cursor.split('.')
    const json = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>
    // JSON has numbers that JavaScript writes as null.
    const changed = JSON.stringify(Object.assign(json, change(json))).replaceAll('"1e308"', '1e308')
    return [Buffer.from(changed).toString('base64url'), ...rest].join('.')
  }

  test('is refused where it has a number that is no time and no key', async () => {
    await insertSpans(facades.deps.storage, [
      { traceId: 'a1', spanId: '1', service: 'other', startTimeUnixNano: 1_763_625_000_000_000_000n },
    ])
    for (const path of ['/api/traces', '/api/logs']) {
      const { body } = await ask(path, { ...OLD, limit: '1' })
      const { cursor } = JSON.parse(body) as { cursor: string }
      expect(cursor, body).not.toBeNull()
      expect((await ask(path, { limit: '1', cursor })).status).toBe(200)
      const changes: ((head: Record<string, unknown>) => unknown)[] = [
        () => ({ s: '1e308' }),
        () => ({ e: '1e308' }),
        () => ({ s: -9e15 }),
        () => ({ e: 9e15 }),
        path === '/api/logs'
          ? () => ({ t: '9999999999999999999' })
          : ({ p }) => ({ p: ['1', '9999999999999999999', ...(p as string[]).slice(2)] }),
        path === '/api/logs'
          ? () => ({ h: '99999999999999999999' })
          : ({ p }) => ({ p: ['-9999999999999999999', ...(p as string[]).slice(1)] }),
      ]
      for (const change of changes) {
        const changed = await ask(path, { limit: '1', cursor: tamper(cursor, change) })
        expect(changed.status, changed.body).toBe(400)
        expect(changed.body).toContain('the cursor is malformed')
      }
    }
  })
})
