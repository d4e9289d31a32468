import { describe, expect, test } from 'vitest'
import { decodeMessageRows } from '../../test/support/decode-message.ts'
import { encodeRequest, type OtlpJson } from '../../test/support/otlp-messages.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const SERVER = 2
const CLIENT = 3
const PRODUCER = 4
const CONSUMER = 5
const OK = 1
const ERROR = 2

type Attributes = Readonly<Record<string, string | number | boolean>>

/** The columns that the mesh's questions are about, of a span with these attributes; those that are absent left out. */
function meshColumns(kind: number, attributes: Attributes, status = 0): OtlpJson {
  const span = {
    traceId: '01'.repeat(16),
    spanId: '02'.repeat(8),
    name: 'x',
    kind,
    startTimeUnixNano: String(BigInt(NOW) * 1_000_000n),
    status: { code: status },
    attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) })),
  }
  const message = encodeRequest('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
  const row = decodeMessageRows('traces', message, { now: NOW }).tables['spans']?.[0] ?? {}
  const absent: OtlpJson = {
    is_error: 0,
    http_status: 0,
    http_method: '',
    grpc_status: -1,
    response_flags: '',
    retry_attempt: 0,
    upstream: '',
    upstream_cluster: '',
    upstream_endpoint: '',
  }
  return Object.fromEntries(
    Object.keys(absent)
      .map((name) => [name, row[name]] as const)
      .filter(([name, value]) => value !== absent[name]),
  )
}

function anyValue(value: string | number | boolean): OtlpJson {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return { intValue: String(value) }
}

/** What Envoy writes on the client span of its router: all strings. */
const ENVOY: Attributes = {
  component: 'proxy',
  'http.protocol': 'HTTP/1.1',
  'http.status_code': '503',
  'http.method': 'GET',
  'http.url': 'http://cart.example:8080/items?q=1',
  upstream_address: '10.0.0.7:9080',
  'upstream_cluster.name': 'cart',
  upstream_cluster: 'outbound|9080||cart.shop.svc.cluster.local',
  'peer.address': '10.0.0.7:9080',
  response_flags: 'UO',
  'retry.count': '2',
  error: 'true',
}

describe('the columns of a span', () => {
  test.each<[string, number, Attributes, OtlpJson]>([
    ['nothing', CLIENT, {}, {}],
    [
      'Envoy, outbound',
      CLIENT,
      ENVOY,
      {
        is_error: 1,
        http_status: 503,
        http_method: 'GET',
        response_flags: 'UO',
        retry_attempt: 2,
        upstream: 'cart.shop',
        upstream_cluster: 'outbound|9080||cart.shop.svc.cluster.local',
        upstream_endpoint: '10.0.0.7:9080',
      },
    ],
    [
      'Envoy, inbound: no callee',
      SERVER,
      { ...ENVOY, response_flags: '-', 'http.status_code': '200', error: 'false', 'retry.count': '0' },
      {
        http_status: 200,
        http_method: 'GET',
        upstream_cluster: 'outbound|9080||cart.shop.svc.cluster.local',
        upstream_endpoint: '10.0.0.7:9080',
      },
    ],
    [
      'Istio, with its own tags',
      CLIENT,
      {
        ...ENVOY,
        'http.status_code': '200',
        error: 'false',
        'istio.destination_canonical_service': 'cart-v2',
        'istio.destination_namespace': 'shop',
      },
      {
        http_status: 200,
        http_method: 'GET',
        response_flags: 'UO',
        retry_attempt: 2,
        upstream: 'cart-v2.shop',
        upstream_cluster: 'outbound|9080||cart.shop.svc.cluster.local',
        upstream_endpoint: '10.0.0.7:9080',
      },
    ],
    [
      'Istio, to a passthrough cluster: the address says more',
      CLIENT,
      { upstream_cluster: 'PassthroughCluster', 'server.address': 'api.example.com' },
      { upstream: 'api.example.com', upstream_cluster: 'PassthroughCluster' },
    ],
    [
      'a passthrough cluster and nothing else',
      CLIENT,
      { upstream_cluster: 'PassthroughCluster' },
      { upstream: 'PassthroughCluster', upstream_cluster: 'PassthroughCluster' },
    ],
    [
      'OpenTelemetry today, HTTP',
      CLIENT,
      {
        'http.response.status_code': 404,
        'http.request.method': 'POST',
        'http.request.resend_count': 1,
        'server.address': 'cart.shop.svc.cluster.local',
        'server.port': 8080,
        'network.peer.address': '10.0.0.8',
        'network.peer.port': 8080,
      },
      {
        http_status: 404,
        http_method: 'POST',
        retry_attempt: 1,
        upstream: 'cart.shop',
        upstream_endpoint: '10.0.0.8:8080',
      },
    ],
    [
      'OpenTelemetry before',
      CLIENT,
      {
        'http.status_code': 500,
        'http.method': 'PUT',
        'http.resend_count': 3,
        'net.peer.name': 'cart.shop.svc',
        'net.sock.peer.addr': '2001:db8::1',
        'net.sock.peer.port': 8080,
      },
      {
        is_error: 1,
        http_status: 500,
        http_method: 'PUT',
        retry_attempt: 3,
        upstream: 'cart.shop',
        upstream_endpoint: '[2001:db8::1]:8080',
      },
    ],
    [
      'the newer convention before the older one',
      SERVER,
      {
        'http.method': 'GET',
        'http.request.method': 'HEAD',
        'http.status_code': 500,
        'http.response.status_code': 204,
      },
      { http_status: 204, http_method: 'HEAD' },
    ],
    [
      'a named peer before everything else',
      CLIENT,
      { ...ENVOY, 'http.status_code': '200', error: 'false', 'peer.service': 'basket' },
      {
        http_status: 200,
        http_method: 'GET',
        response_flags: 'UO',
        retry_attempt: 2,
        upstream: 'basket',
        upstream_cluster: 'outbound|9080||cart.shop.svc.cluster.local',
        upstream_endpoint: '10.0.0.7:9080',
      },
    ],
    [
      'only a URL',
      CLIENT,
      { 'url.full': 'https://user@Api.Example.com:8443/x' },
      { upstream: 'api.example.com' },
    ],
    ['only an authority', CLIENT, { 'http.host': 'cart:8080' }, { upstream: 'cart' }],
    ['a queue', PRODUCER, { 'messaging.destination.name': 'orders' }, { upstream: 'orders' }],
    ['a consumer calls nobody', CONSUMER, { 'messaging.destination.name': 'orders' }, {}],
    ['a database', CLIENT, { 'db.system': 'postgresql' }, { upstream: 'postgresql' }],
    [
      'a cluster of any name',
      CLIENT,
      { upstream_cluster: 'backend' },
      { upstream: 'backend', upstream_cluster: 'backend' },
    ],
    ['gRPC as a number', SERVER, { 'rpc.grpc.status_code': 14 }, { is_error: 1, grpc_status: 14 }],
    ['gRPC as Envoy writes it', SERVER, { 'grpc.status_code': '0' }, { grpc_status: 0 }],
    [
      'gRPC by name',
      SERVER,
      { 'rpc.response.status_code': 'DEADLINE_EXCEEDED' },
      { is_error: 1, grpc_status: 4 },
    ],
    ['a gRPC status that is the caller’s fault', SERVER, { 'rpc.grpc.status_code': 5 }, { grpc_status: 5 }],
    [
      'numbers that are none',
      CLIENT,
      { 'http.status_code': 'abc', 'retry.count': -1, 'grpc.status_code': 'x' },
      {},
    ],
    ['numbers that do not fit', SERVER, { 'http.status_code': 70000, 'retry.count': 65536 }, {}],
    ['an error tag that is a boolean', SERVER, { error: true }, { is_error: 1 }],
    ['an error tag that says no', SERVER, { error: false }, {}],
  ])('%s', (_name, kind, attributes, expected) => {
    expect(meshColumns(kind, attributes)).toEqual(expected)
  })

  test('the status of the span has the last word on errors', () => {
    expect(meshColumns(SERVER, { 'http.response.status_code': 503 }, OK)).toEqual({ http_status: 503 })
    expect(meshColumns(SERVER, { 'http.response.status_code': 200 }, ERROR)).toEqual({
      is_error: 1,
      http_status: 200,
    })
  })
})
