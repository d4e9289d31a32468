import type { KeyValue } from '../../model/any-value.ts'
import type { MeshView, Resource, Scope, Span, Trace } from '../../query/traces/trace.ts'

/** One attribute of every kind, among them the edges: exact int64, non-finite double, nested and empty values. */
export const EVERY_KIND: readonly KeyValue[] = [
  { key: 'text', value: { stringValue: 'naïve ☕' } },
  { key: 'text.empty', value: { stringValue: '' } },
  { key: 'yes', value: { boolValue: true } },
  { key: 'no', value: { boolValue: false } },
  { key: 'int', value: { intValue: '200' } },
  { key: 'int.zero', value: { intValue: '0' } },
  { key: 'int.min', value: { intValue: '-9223372036854775808' } },
  { key: 'int.max', value: { intValue: '9223372036854775807' } },
  { key: 'double', value: { doubleValue: 0.1 } },
  { key: 'double.nan', value: { doubleValue: 'NaN' } },
  { key: 'bytes', value: { bytesValue: 'AAEC/w==' } },
  {
    key: 'array',
    value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '9007199254740993' }, {}] } },
  },
  {
    key: 'map',
    value: {
      kvlistValue: {
        values: [
          { key: 'inner', value: { arrayValue: { values: [{ boolValue: true }] } } },
          { key: 'bytes', value: { bytesValue: '/w==' } },
        ],
      },
    },
  },
  { key: 'empty', value: {} },
]

const NO_MESH: MeshView = {
  httpStatus: null,
  httpMethod: null,
  grpcStatus: null,
  responseFlags: null,
  retryAttempt: 0,
  upstream: null,
  upstreamCluster: null,
  upstreamEndpoint: null,
}

const FRONTEND: Resource = {
  attributes: [
    { key: 'service.name', value: { stringValue: 'frontend' } },
    { key: 'host.cpus', value: { intValue: '8' } },
  ],
  droppedAttributesCount: 1,
  schemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
}

const CHECKOUT: Resource = {
  attributes: [{ key: 'service.name', value: { stringValue: 'checkout' } }],
  droppedAttributesCount: 0,
  schemaUrl: '',
}

const LIBRARY: Scope = {
  name: 'http',
  version: '1.2.3',
  attributes: [{ key: 'scope.attribute', value: { boolValue: true } }],
  droppedAttributesCount: 2,
  schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
}

const NO_SCOPE: Scope = { name: '', version: '', attributes: [], droppedAttributesCount: 0, schemaUrl: '' }

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const START = 1_763_625_600_123_456_789n

const ROOT: Span = {
  traceId: TRACE_ID,
  spanId: 'b7ad6b7169203331',
  parentSpanId: null,
  traceState: 'vendor=value,other=1',
  flags: 257,
  service: 'frontend',
  name: 'GET /cart',
  kind: 'server',
  startTimeUnixNano: START,
  durationNanos: 250_000_999n,
  status: { code: 'unset', message: '' },
  isError: false,
  mesh: { ...NO_MESH, httpStatus: 200, httpMethod: 'GET' },
  attributes: EVERY_KIND,
  droppedAttributesCount: 3,
  events: [
    {
      timeUnixNano: START + 1_000_000n,
      name: 'cache.miss',
      attributes: [{ key: 'key', value: { stringValue: 'cart:7' } }],
      droppedAttributesCount: 4,
    },
  ],
  droppedEventsCount: 5,
  links: [
    {
      traceId: '11111111111111111111111111111111',
      spanId: '2222222222222222',
      traceState: 'linked=1',
      attributes: [{ key: 'why', value: { stringValue: 'batch' } }],
      droppedAttributesCount: 6,
      flags: 1,
    },
  ],
  droppedLinksCount: 7,
  resource: FRONTEND,
  scope: LIBRARY,
}

const CALL: Span = {
  ...ROOT,
  spanId: 'c8be7c827a314442',
  parentSpanId: ROOT.spanId,
  traceState: '',
  flags: 0,
  name: 'POST checkout',
  kind: 'client',
  startTimeUnixNano: START + 5_000_000n,
  durationNanos: 200_000_000n,
  status: { code: 'error', message: 'upstream said 503' },
  isError: true,
  mesh: {
    ...NO_MESH,
    httpStatus: 503,
    httpMethod: 'POST',
    responseFlags: 'UO',
    retryAttempt: 1,
    upstream: 'checkout',
  },
  attributes: [{ key: 'http.response.status_code', value: { intValue: '503' } }],
  droppedAttributesCount: 0,
  events: [],
  droppedEventsCount: 0,
  links: [],
  droppedLinksCount: 0,
}

/** A 5xx without a status, from a clock that went back. */
const SERVED: Span = {
  ...CALL,
  spanId: 'd9cf8d938b425553',
  parentSpanId: CALL.spanId,
  service: 'checkout',
  name: 'POST',
  kind: 'server',
  startTimeUnixNano: START + 6_000_000n,
  durationNanos: -1_000n,
  status: { code: 'unset', message: '' },
  resource: CHECKOUT,
  scope: NO_SCOPE,
}

/** A trace of three spans and two services in which every field of OTLP is set at least once. */
export const SAMPLE_TRACE: Trace = { traceId: TRACE_ID, spans: [ROOT, CALL, SERVED], isTruncated: false }
