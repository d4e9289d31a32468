import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertSpans } from './support/insert-spans.ts'
import { type OpenFacades, openFacades } from './support/open-facades.ts'
import { SAMPLE_TRACE } from './support/sample-trace.ts'

let facades: OpenFacades

beforeAll(async () => {
  facades = await openFacades({ now: 1_763_626_000_000 })
  await insertSpans(facades.deps.storage, SAMPLE_TRACE.spans)
})

afterAll(() => facades.close())

const PATHS = [
  '/jaeger/api/services',
  '/jaeger/api/services/:any/operations',
  '/jaeger/api/operations',
  '/jaeger/api/traces',
  '/jaeger/api/traces/:any',
  '/jaeger/api/dependencies',
  '/jaeger/api/metrics/latencies',
  '/jaeger/api/metrics/calls',
  '/jaeger/api/v3/operations',
  '/jaeger/api/v3/traces',
  '/jaeger/api/v3/traces/:any',
  '/jaeger/api/v3/trace-summaries',
  '/jaeger/api/v3/dependencies',
  '/tempo/api/traces/:any',
  '/tempo/api/v2/traces/:any',
  '/tempo/api/search',
  '/tempo/api/search/tags',
  '/tempo/api/v2/search/tags',
  '/tempo/api/search/tag/:any/values',
  '/tempo/api/v2/search/tag/:any/values',
  '/prometheus/api/v1/query',
  '/prometheus/api/v1/query_range',
  '/prometheus/api/v1/query_exemplars',
  '/prometheus/api/v1/series',
  '/prometheus/api/v1/labels',
  '/prometheus/api/v1/label/:any/values',
  '/prometheus/api/v1/metadata',
  '/prometheus/api/v1/format_query',
  '/prometheus/api/v1/parse_query',
]

const NAMES = [
  'service',
  'operation',
  'spanKind',
  'span_kind',
  'tags',
  'tag',
  'start',
  'end',
  'lookback',
  'limit',
  'minDuration',
  'maxDuration',
  'traceID',
  'endTs',
  'step',
  'ratePer',
  'quantile',
  'groupByOperation',
  'query.serviceName',
  'query.attributes',
  'query.start_time_min',
  'query.start_time_max',
  'query.num_traces',
  'query.duration_min',
  'startTime',
  'endTime',
  'q',
  'scope',
  'spss',
  'query',
  'time',
  'timeout',
  'lookback_delta',
  'match[]',
  'metric',
]

const LIKELY = [
  'frontend',
  '0',
  '1',
  '-1',
  '1e9',
  '1763625600',
  '1763626000000',
  '1763626000000000',
  '999999999999999',
  '99999999999999999',
  'NaN',
  '5s',
  '1h30m',
  '9223372036854775807ns',
  '2025-11-20T07:00:00Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '{}',
  '{"error":"true"}',
  '{"__proto__":"x","constructor":"y"}',
  '{span.a="b" && duration>9000000000s}',
  '{ status = error }',
  'a=b c="d"',
  'server',
  'resource',
  'true',
  "'; DROP TABLE spans; --",
  '{tenant:String}',
  '%00',
  '\u0000',
  '\ud800',
  '0af7651916cd43dd8448eb211c80319c',
  'resource.service.name',
  'rate({__name__=~".+"}[5m])',
  'sum by (a) ({__name__!=""} @ 1e9) / on () group_left vector(time())',
  'max_over_time((up > 1)[1h:1s])',
  'label_replace(vector(1), "a", "$1", "b", "(.*")',
  'topk(Inf, up)',
]

/** What the APIs insist on: without it most questions end at the first check. */
const REQUIRED = [
  ['service', 'frontend'],
  ['quantile', '0.9'],
  ['query.startTimeMin', '2025-11-20T07:00:00Z'],
  ['query.startTimeMax', '2025-11-20T09:00:00Z'],
  ['startTime', '2025-11-20T07:00:00Z'],
  ['endTime', '2025-11-20T09:00:00Z'],
] as const

const REQUIRED_BY_PROMETHEUS = [
  ['query', 'up'],
  ['match[]', 'up'],
  ['start', '1763625600'],
  ['end', '1763626000'],
  ['step', '15'],
] as const

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...LIKELY) },
  fc.string({ unit: 'binary', maxLength: 40 }),
)

test('no query makes a façade fail: it answers or says what is wrong with the question', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...PATHS),
      value,
      fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 5 }),
      async (path, any, parameters) => {
        const given = new Set(parameters.map(([name]) => name))
        const query = new URLSearchParams()
        for (const [name, text] of parameters) query.append(name, text)
        const required = path.startsWith('/prometheus') ? REQUIRED_BY_PROMETHEUS : REQUIRED
        for (const [name, text] of required) if (!given.has(name)) query.append(name, text)
        const segment = encodeURIComponent(any.toWellFormed()) || 'x'
        const { statusCode, body } = await facades.app.inject({
          url: `${path.replace(':any', segment)}?${query.toString()}`,
        })
        // Whose time is up is told so.
        const late = given.has('timeout') ? [503] : []
        expect([200, 204, 400, 404, 422, ...late], body).toContain(statusCode)
      },
    ),
    { numRuns: 500 },
  )
}, 60_000)
