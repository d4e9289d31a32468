import { afterEach, describe, expect, test } from 'vitest'
import { type OtlpCollector, startOtlpCollector } from './support/otlp-collector.ts'
import {
  PAYMENTS,
  startTestProxy,
  type TestProxy,
  type TestProxyOptions,
} from './support/start-test-proxy.ts'
import { answering, stalling, startUpstream, type Upstream } from './support/start-upstream.ts'
import { waitUntil } from './support/wait-until.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function upstream(handle?: Upstream['handle']): Promise<Upstream> {
  const started = await startUpstream(handle)
  open.push(started)
  return started
}

async function setUp(
  upstreams: readonly Upstream[],
  options: Omit<TestProxyOptions, 'endpoints'> = {},
): Promise<{ proxy: TestProxy; collector: OtlpCollector }> {
  const collector = await startOtlpCollector()
  open.push(collector)
  const endpoints = upstreams.map(({ address }) => address)
  const proxy = await startTestProxy({ endpoints, otlp: collector.url, ...options })
  open.push(proxy)
  return { proxy, collector }
}

type Row = ReturnType<OtlpCollector['rows']>[number]

function attributes(row: Row | undefined): Record<string, string> {
  return Object.fromEntries((row?.['attrs'] ?? []) as [string, string][])
}

describe('spans', () => {
  test('one server span, and one client span for each attempt that says why it was made or not made again', async () => {
    const bad = await upstream(answering(503))
    const good = await upstream()
    const { proxy, collector } = await setUp([bad, good], {
      route: 'retries: {attempts: 2, retryOn: 5xx}',
      random: () => 0,
    })
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    await proxy.ask({ path: '/pay?card=secret', headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } })
    await proxy.flushTelemetry()
    const [server, first, second] = collector.rows('spans')
    expect(collector.rows('spans')).toHaveLength(3)
    expect(server).toMatchObject({
      trace_id: trace,
      parent_span_id: '00f067aa0ba902b7',
      service: 'cart.shop',
      name: 'GET /*',
      kind: 2,
      http_status: 200,
      is_error: 0,
    })
    expect(attributes(server)).toMatchObject({
      'mesh.request.attempts': '2',
      'mesh.response.details': 'via_upstream',
      'url.path': '/pay',
    })
    expect(JSON.stringify(attributes(server))).not.toContain('secret')
    const parent_span_id = server?.['span_id']
    expect(first).toMatchObject({
      parent_span_id,
      kind: 3,
      http_status: 503,
      is_error: 1,
      retry_attempt: 0,
      upstream: 'payments.shop',
      upstream_cluster: PAYMENTS,
      upstream_endpoint: bad.address,
    })
    expect(attributes(first)['mesh.retry.decision']).toBe('retried')
    expect(second).toMatchObject({
      parent_span_id,
      kind: 3,
      http_status: 200,
      retry_attempt: 1,
      upstream_endpoint: good.address,
    })
    expect(attributes(second)).toMatchObject({
      'mesh.retry.reason': '5xx',
      'mesh.retry.decision': 'not-retriable',
    })
    expect(good.requests[0]?.headers['traceparent']).toBe(`00-${trace}-${second?.['span_id']}-01`)
  })

  test('of a trace that is not sampled are sent only when there is something to see', async () => {
    const good = await upstream()
    const { proxy, collector } = await setUp([good])
    const unsampled = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' }
    await proxy.ask({ headers: unsampled })
    await proxy.flushTelemetry()
    expect(collector.rows('spans')).toHaveLength(0)
    good.handle = answering(500)
    await proxy.ask({ headers: unsampled })
    await proxy.flushTelemetry()
    expect(collector.rows('spans')).toHaveLength(2)
  })

  test('say what the flags say', async () => {
    const slow = await upstream(stalling)
    const { proxy, collector } = await setUp([slow], { route: 'timeout: 100ms, retries: {attempts: 0}' })
    await proxy.ask()
    await proxy.ask({ host: 'nowhere' })
    await proxy.flushTelemetry()
    expect(collector.rows('spans').map((row) => row['response_flags'])).toEqual(['UT', 'UT', 'NR'])
  })
})

describe('metrics', () => {
  test('come by the names of Istio and Envoy, and by the same names on the admin port', async () => {
    const bad = await upstream(answering(503))
    const { proxy, collector } = await setUp([bad], { route: 'retries: {attempts: 1, retryOn: 5xx}' })
    await proxy.ask()
    await proxy.flushTelemetry()
    const series = collector.rows('metric_series')
    const requests = series.filter((row) => row['metric'] === 'istio_requests_total')
    expect(requests).toHaveLength(1)
    expect(Object.keys(attributes(requests[0]))).toEqual([
      'reporter',
      'source_workload',
      'source_canonical_service',
      'source_canonical_revision',
      'source_workload_namespace',
      'source_principal',
      'source_app',
      'source_version',
      'source_cluster',
      'destination_workload',
      'destination_workload_namespace',
      'destination_principal',
      'destination_app',
      'destination_version',
      'destination_service',
      'destination_canonical_service',
      'destination_canonical_revision',
      'destination_service_name',
      'destination_service_namespace',
      'destination_cluster',
      'request_protocol',
      'response_code',
      'grpc_response_status',
      'response_flags',
      'connection_security_policy',
    ])
    expect(attributes(requests[0])).toMatchObject({
      reporter: 'source',
      source_workload: 'cart',
      destination_service: 'payments.shop.svc.cluster.local',
      destination_service_name: 'payments',
      destination_service_namespace: 'shop',
      destination_version: 'v1',
      response_code: '503',
      response_flags: 'URX',
    })
    const names = new Set(series.map((row) => row['metric']))
    for (const name of [
      'envoy_cluster_upstream_rq_total',
      'envoy_cluster_upstream_rq_retry',
      'envoy_cluster_upstream_rq_retry_limit_exceeded',
      'envoy_cluster_outlier_detection_ejections_active',
      'envoy_cluster_membership_healthy',
      'istio_request_duration_milliseconds',
    ]) {
      expect(names).toContain(name)
    }
    expect(await proxy.stat('envoy_cluster_upstream_rq_retry', PAYMENTS)).toBe(1)
    const { body } = await proxy.admin('/stats/prometheus')
    expect(body).toContain('# TYPE istio_requests_total counter\n')
    expect(body).toMatch(/istio_request_duration_milliseconds_bucket\{.*le="\+Inf"\} 1\n/)
  })

  test('a series begins with a zero, so that a rate sees its first count', async () => {
    const good = await upstream()
    const { proxy, collector } = await setUp([good])
    await proxy.flushTelemetry()
    await proxy.ask()
    await proxy.flushTelemetry()
    await proxy.flushTelemetry()
    const id = collector.rows('metric_series').find((row) => row['metric'] === 'istio_requests_total')?.['id']
    const values = collector.rows('otlp_points').filter((row) => row['series'] === id)
    expect(values.map((row) => row['value'])).toEqual([ZERO, ONE, ONE])
  })

  test('both proxies of a hop name the other end', async () => {
    const good = await upstream()
    const { proxy, collector } = await setUp([good], { inbound: good.address })
    const caller = await startTestProxy({ endpoints: [proxy.inboundAddress], otlp: collector.url })
    open.push(caller)
    await caller.ask()
    expect(good.requests[0]?.headers['x-mesh-peer']).toBeUndefined()
    await proxy.flushTelemetry()
    const inbound = collector
      .rows('metric_series')
      .map(attributes)
      .find(({ reporter }) => reporter === 'destination')
    expect(inbound).toMatchObject({ source_workload: 'cart', destination_service_name: 'cart' })
  })
})

describe('events', () => {
  test('an ejection carries its evidence, the return follows; a breaker opens', async () => {
    const bad = await upstream(answering(502))
    const { proxy, collector } = await setUp([bad], {
      traffic:
        'outlierDetection: {consecutive5xxErrors: 2, interval: 100ms, baseEjectionTime: 100ms, maxEjectionPercent: 100}, connectionPool: {http: {http2MaxRequests: 1}}',
    })
    await proxy.ask()
    await proxy.ask()
    await waitUntil('it is back', () => proxy.clusters.get(PAYMENTS)?.endpoints[0]?.outlier.ejection === null)
    bad.handle = stalling
    const leaving = new AbortController()
    const held = proxy.ask({ signal: leaving.signal }).catch(() => 'left')
    await waitUntil('it is under way', () => bad.requests.length === 3)
    await proxy.ask()
    leaving.abort()
    await held
    await proxy.flushTelemetry()
    const events = collector.rows('logs')
    expect(events.map((row) => row['event_name'])).toEqual([
      'mesh.outlier.ejected',
      'mesh.outlier.returned',
      'mesh.breaker.opened',
    ])
    const traces = collector.rows('spans').map((row) => row['trace_id'])
    expect(attributes(events[0])).toMatchObject({
      upstream_cluster: PAYMENTS,
      upstream_address: bad.address,
      'mesh.outlier.type': 'consecutive_5xx',
    })
    expect(attributes(events[0])['mesh.outlier.evidence.trace_ids']).toContain(traces[0])
    expect(attributes(events[0])['mesh.outlier.evidence.statuses']).toContain('"502"')
    expect(attributes(events[2])['mesh.breaker.limit']).toBe('max_requests')
  })
})

describe('a receiver that is away', () => {
  test('costs no request; what waits is sent when it is back', async () => {
    const good = await upstream()
    const { proxy, collector } = await setUp([good])
    collector.status = 503
    for (let i = 0; i < 5; i++) expect(await proxy.ask()).toMatchObject({ status: 200 })
    await proxy.flushTelemetry()
    expect(collector.rows('spans')).toHaveLength(0)
    collector.status = 200
    await proxy.flushTelemetry()
    expect(collector.rows('spans')).toHaveLength(10)
  })

  test('costs a bounded memory, and what is lost is counted', async () => {
    const good = await upstream()
    const { proxy, collector } = await setUp([good])
    collector.status = 503
    const batch = Array.from({ length: 100 })
    for (let sent = 0; sent < 4200; sent += batch.length) await Promise.all(batch.map(() => proxy.ask()))
    expect(await proxy.stat('mesh_proxy_telemetry_dropped_total', 'traces')).toBe(2 * 4200 - 8192)
    collector.status = 200
    await proxy.flushTelemetry()
    expect(collector.rows('spans')).toHaveLength(8192)
  })

  test('refuses for good: not sent again', async () => {
    const good = await upstream()
    const { proxy, collector } = await setUp([good])
    collector.status = 400
    await proxy.ask()
    await proxy.flushTelemetry()
    collector.status = 200
    await proxy.flushTelemetry()
    expect(collector.rows('spans')).toHaveLength(0)
    expect(await proxy.stat('mesh_proxy_telemetry_dropped_total', 'traces')).toBe(2)
  })
})

const ZERO = '0000000000000000'
const ONE = '000000000000f03f'
