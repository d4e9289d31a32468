import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import {
  PAYMENTS,
  startTestProxy,
  type TestProxy,
  type TestProxyOptions,
} from './support/start-test-proxy.ts'
import { answering, resetting, stalling, startUpstream, type Upstream } from './support/start-upstream.ts'
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

async function proxyTo(
  upstreams: readonly Upstream[],
  options: Omit<TestProxyOptions, 'endpoints'> = {},
): Promise<TestProxy> {
  const proxy = await startTestProxy({ endpoints: upstreams.map(({ address }) => address), ...options })
  open.push(proxy)
  return proxy
}

/** A port on which nobody listens. */
async function nobody(): Promise<Upstream> {
  const gone = await startUpstream()
  await gone.close()
  return gone
}

describe('retries', () => {
  test('a 503 is retried on another endpoint, with the number of the attempt told', async () => {
    const bad = await upstream(answering(503, 'bad'))
    const good = await upstream()
    const proxy = await proxyTo([bad, good], {
      route: 'retries: {attempts: 2, retryOn: 5xx}',
      random: () => 0,
    })
    const answer = await proxy.ask()
    expect(answer).toMatchObject({ status: 200, body: good.address })
    expect(bad.requests.map(({ headers }) => headers['x-envoy-attempt-count'])).toEqual(['1'])
    expect(good.requests.map(({ headers }) => headers['x-envoy-attempt-count'])).toEqual(['2'])
    expect(await proxy.stat('envoy_cluster_upstream_rq_retry')).toBe(1)
    expect(await proxy.stat('envoy_cluster_upstream_rq_retry_success')).toBe(1)
    expect(await proxy.stat('envoy_cluster_retry_upstream_rq', 'response_code="503"')).toBe(1)
    expect(await proxy.stat('istio_requests_total', 'response_code="200"')).toBe(1)
    expect(await proxy.stat('mesh_request_fate_total', 'success_after_retry')).toBe(1)
  })

  test('are used up: the last answer, with URX', async () => {
    const bad = await upstream(answering(503, 'bad'))
    const proxy = await proxyTo([bad], { route: 'retries: {attempts: 2, retryOn: 5xx}' })
    expect(await proxy.ask()).toMatchObject({ status: 503, body: 'bad' })
    expect(bad.requests).toHaveLength(3)
    expect(await proxy.stat('envoy_cluster_upstream_rq_retry_limit_exceeded')).toBe(1)
    expect(await proxy.stat('istio_requests_total', 'response_flags="URX"')).toBe(1)
  })

  test('a refused connection is retried, and told as UF when nobody is left', async () => {
    const dead = await nobody()
    const good = await upstream()
    const route = 'retries: {attempts: 1, retryOn: connect-failure}'
    const proxy = await proxyTo([dead, good], { route, random: () => 0 })
    expect(await proxy.ask()).toMatchObject({ status: 200, body: good.address })
    const alone = await proxyTo([dead], { route })
    const answer = await alone.ask()
    expect(answer.status).toBe(503)
    expect(answer.body).toBe(
      'upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, transport failure reason: Connection refused',
    )
    expect(await alone.stat('istio_requests_total', 'response_flags="UF,URX"')).toBe(0)
    expect(await alone.stat('istio_requests_total', 'response_flags="URX,UF"')).toBe(1)
    expect(await alone.stat('envoy_cluster_upstream_cx_connect_fail')).toBe(2)
  })

  test('a connection cut under the request is retried for GET, not for POST without a key', async () => {
    const cutting = await upstream(resetting)
    const proxy = await proxyTo([cutting], { route: 'retries: {attempts: 1, retryOn: reset}' })
    expect(await proxy.ask()).toMatchObject({ status: 503 })
    expect(cutting.requests).toHaveLength(2)
    expect(await proxy.ask({ method: 'POST', body: 'pay' })).toMatchObject({
      status: 503,
      body: 'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
    })
    expect(cutting.requests).toHaveLength(3)
    await proxy.ask({ method: 'POST', body: 'pay', headers: { 'idempotency-key': 'a' } })
    expect(cutting.requests).toHaveLength(5)
    expect(await proxy.stat('mesh_retry_decisions_total', 'mesh_retry_decision="non-idempotent"')).toBe(1)
  })

  test('send the body again', async () => {
    const bodies: string[] = []
    const echo = await upstream((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => void chunks.push(chunk))
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks).toString())
        response.writeHead(bodies.length === 1 ? 503 : 200).end()
      })
    })
    const proxy = await proxyTo([echo], { route: 'retries: {attempts: 1, retryOn: 5xx}' })
    const body = 'x'.repeat(200_000)
    expect(await proxy.ask({ method: 'PUT', body })).toMatchObject({ status: 200 })
    expect(bodies).toEqual([body, body])
  })

  test('are given up for a body above 1 MiB', async () => {
    const bad = await upstream((request, response) => {
      request.resume()
      request.on('end', () => void response.writeHead(503).end())
    })
    const proxy = await proxyTo([bad], { route: 'retries: {attempts: 2, retryOn: 5xx}' })
    expect(await proxy.ask({ method: 'PUT', body: Buffer.alloc(1024 * 1024 + 1) })).toMatchObject({
      status: 503,
    })
    expect(bad.requests).toHaveLength(1)
    expect(await proxy.stat('envoy_cluster_retry_or_shadow_abandoned')).toBe(1)
    expect(await proxy.ask({ method: 'PUT', body: Buffer.alloc(1024 * 1024) })).toMatchObject({ status: 503 })
    expect(bad.requests).toHaveLength(4)
  })

  test('beyond maxRetries at once are refused: the answer as it came, flag UO, a counter of its own', async () => {
    const bad = await upstream(answering(503, 'bad'))
    const proxy = await proxyTo([bad], {
      route: 'retries: {attempts: 1, retryOn: 5xx, backoff: 60s}',
      traffic: 'connectionPool: {http: {maxRetries: 1}}',
      random: () => 0.99,
    })
    const leaving = new AbortController()
    const first = proxy.ask({ signal: leaving.signal }).catch(() => 'left')
    await waitUntil(
      'the first waits for its retry',
      async () => (await proxy.stat('envoy_cluster_upstream_rq_retry')) === 1,
    )
    expect(await proxy.ask()).toMatchObject({ status: 503, body: 'bad' })
    expect(await proxy.stat('envoy_cluster_upstream_rq_retry_overflow')).toBe(1)
    expect(await proxy.stat('istio_requests_total', 'response_flags="UO"')).toBe(1)
    expect(await proxy.stat('envoy_cluster_circuit_breakers_default_rq_retry_open', PAYMENTS)).toBe(1)
    expect(await proxy.stat('mesh_breaker_rejections_total', 'max_retries')).toBe(1)
    leaving.abort()
    expect(await first).toBe('left')
    await waitUntil('the slot is free', () => proxy.clusters.get(PAYMENTS)?.load.activeRetries === 0)
  })
})

describe('time limits', () => {
  test('the route: 504 with UT, the attempt cut off, the endpoint charged', async () => {
    const slow = await upstream(stalling)
    const proxy = await proxyTo([slow], { route: 'timeout: 150ms, retries: {attempts: 0}' })
    expect(await proxy.ask()).toMatchObject({ status: 504, body: 'upstream request timeout' })
    expect(slow.requests[0]?.headers['x-envoy-expected-rq-timeout-ms']).toBeDefined()
    expect(await proxy.stat('envoy_cluster_upstream_rq_timeout')).toBe(1)
    expect(await proxy.stat('istio_requests_total', 'response_flags="UT"')).toBe(1)
    await waitUntil('the upstream sees its connection cut', () => slow.requests[0]?.destroyed === true)
  })

  test('each attempt: retried where retryOn says reset, else a 504', async () => {
    const slow = await upstream(stalling)
    const good = await upstream()
    const retried = await proxyTo([slow, good], {
      route: 'retries: {attempts: 1, perTryTimeout: 2s, retryOn: reset}',
      random: () => 0,
    })
    expect(await retried.ask()).toMatchObject({ status: 200 })
    expect(await retried.stat('envoy_cluster_upstream_rq_per_try_timeout')).toBe(1)
    // Istio's default list holds nothing that a time limit meets.
    const plain = await proxyTo([slow], { route: 'retries: {attempts: 3, perTryTimeout: 150ms}' })
    expect(await plain.ask()).toMatchObject({ status: 504, body: 'upstream request timeout' })
    expect(slow.requests).toHaveLength(2)
  })
})

describe('breakers', () => {
  test('a full queue is 503 with UO and a header, not charged to the endpoint', async () => {
    const slow = await upstream(stalling)
    const proxy = await proxyTo([slow], {
      route: 'retries: {attempts: 2, retryOn: "5xx,reset"}',
      traffic:
        'connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}, outlierDetection: {consecutive5xxErrors: 1, maxEjectionPercent: 100}',
    })
    const leaving = new AbortController()
    const first = proxy.ask({ signal: leaving.signal }).catch(() => 'left')
    await waitUntil('the first has its connection', () => slow.requests.length === 1)
    const second = proxy.ask({ signal: leaving.signal }).catch(() => 'left')
    await waitUntil(
      'the second waits',
      async () => (await proxy.stat('envoy_cluster_upstream_rq_pending_active', PAYMENTS)) === 1,
    )
    const third = await proxy.ask()
    expect(third.status).toBe(503)
    expect(third.headers['x-envoy-overloaded']).toBe('true')
    expect(third.body).toBe(
      'upstream connect error or disconnect/reset before headers. reset reason: overflow',
    )
    expect(await proxy.stat('envoy_cluster_upstream_rq_pending_overflow')).toBe(1)
    expect(await proxy.stat('envoy_cluster_circuit_breakers_default_rq_pending_open', PAYMENTS)).toBe(1)
    expect(await proxy.stat('istio_requests_total', 'response_flags="UO"')).toBe(1)
    expect(await proxy.stat('envoy_cluster_outlier_detection_ejections_enforced_total')).toBe(0)
    leaving.abort()
    expect(await Promise.all([first, second])).toEqual(['left', 'left'])
    await waitUntil(
      'nothing is held any more',
      async () => (await proxy.stat('envoy_cluster_upstream_rq_active', PAYMENTS)) === 0,
    )
    expect(await proxy.stat('istio_requests_total', 'response_flags="DC"')).toBe(2)
  })

  test('too many requests at once are refused before they reach the endpoint', async () => {
    const slow = await upstream(stalling)
    const proxy = await proxyTo([slow], { traffic: 'connectionPool: {http: {http2MaxRequests: 1}}' })
    const leaving = new AbortController()
    const first = proxy.ask({ signal: leaving.signal }).catch(() => 'left')
    await waitUntil('the first is under way', () => slow.requests.length === 1)
    expect(await proxy.ask()).toMatchObject({ status: 503 })
    expect(slow.requests).toHaveLength(1)
    leaving.abort()
    await first
  })
})

describe('outlier detection', () => {
  test('ejects after consecutive 5xx, lets return after the time served, and can be moved by hand', async () => {
    const bad = await upstream(answering(500))
    const good = await upstream()
    const proxy = await proxyTo([bad, good], {
      traffic:
        'loadBalancer: {simple: ROUND_ROBIN}, outlierDetection: {consecutive5xxErrors: 2, interval: 100ms, baseEjectionTime: 3s, maxEjectionPercent: 50}',
    })
    for (let i = 0; i < 4; i++) await proxy.ask()
    expect(await states(proxy)).toEqual(['ejected', 'active'])
    expect(await proxy.stat('envoy_cluster_outlier_detection_ejections_active', PAYMENTS)).toBe(1)
    expect(await proxy.stat('mesh_outlier_ejected', bad.address)).toBe(1)
    for (let i = 0; i < 4; i++) expect(await proxy.ask()).toMatchObject({ status: 200, body: good.address })
    await waitUntil('it is back', async () => (await states(proxy)).every((state) => state === 'active'))
    expect(await proxy.stat('envoy_cluster_outlier_detection_ejections_enforced_consecutive_5xx')).toBe(1)

    const path = (move: string) =>
      `/clusters/${encodeURIComponent(PAYMENTS)}/endpoints/${encodeURIComponent(good.address)}/${move}`
    expect((await proxy.admin(path('eject'), 'POST')).status).toBe(200)
    expect(await states(proxy)).toEqual(['active', 'ejected'])
    expect((await proxy.admin(path('uneject'), 'POST')).status).toBe(200)
    expect(await states(proxy)).toEqual(['active', 'active'])
  })

  test('all ejected and no panic: 503 with UH', async () => {
    const good = await upstream()
    const proxy = await proxyTo([good])
    proxy.clusters.get(PAYMENTS)?.eject(good.address)
    expect(await proxy.ask()).toMatchObject({ status: 503, body: 'no healthy upstream' })
    expect(await proxy.stat('istio_requests_total', 'response_flags="UH"')).toBe(1)
    expect(await proxy.stat('envoy_cluster_upstream_cx_none_healthy')).toBe(1)
  })

  async function states(proxy: TestProxy): Promise<readonly string[]> {
    const { clusters } = JSON.parse((await proxy.admin('/clusters')).body) as {
      clusters: { name: string; endpoints: { state: string }[] }[]
    }
    return clusters.find(({ name }) => name === PAYMENTS)?.endpoints.map(({ state }) => state) ?? []
  }
})

describe('routes', () => {
  test('an unknown host: 404 with NR; a host without endpoints: UH', async () => {
    const proxy = await proxyTo([])
    expect(await proxy.ask({ host: 'nowhere' })).toMatchObject({ status: 404, body: '' })
    expect(await proxy.stat('istio_requests_total', 'response_flags="NR"')).toBe(1)
    expect(await proxy.ask()).toMatchObject({ status: 503, body: 'no healthy upstream' })
  })

  test('faults: abort without asking anybody, delay before the time limit begins', async () => {
    const good = await upstream()
    const abort = await proxyTo([good], {
      route: 'fault: {abort: {httpStatus: 418, percentage: {value: 100}}}',
    })
    expect(await abort.ask()).toMatchObject({ status: 418, body: 'fault filter abort' })
    expect(good.requests).toHaveLength(0)
    expect(await abort.stat('istio_requests_total', 'response_flags="FI"')).toBe(1)
    const delay = await proxyTo([good], {
      route: 'timeout: 20s, fault: {delay: {fixedDelay: 100ms, percentage: {value: 100}}}',
    })
    expect(await delay.ask()).toMatchObject({ status: 200 })
    expect(await delay.stat('istio_requests_total', 'response_flags="DI"')).toBe(1)
  })

  test('weights and subsets, rewrite and headers', async () => {
    const [one, two] = [await upstream(), await upstream()]
    let dice = 0
    const proxy = await proxyTo([one, two], {
      route:
        'match: [{uri: {prefix: /api/}}], rewrite: {uri: /v2/}, headers: {request: {set: {x-lane: blue}}}, route: [{destination: {host: payments, subset: v1}, weight: 25}, {destination: {host: payments, subset: v2}, weight: 75}]',
      documents: `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: subsets, namespace: shop}
spec: {host: payments, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}`,
      random: () => dice,
    })
    expect(await proxy.ask({ path: '/api/pay?x=1' })).toMatchObject({ body: one.address })
    expect(one.requests[0]?.url).toBe('/v2/pay?x=1')
    expect(one.requests[0]?.headers['x-lane']).toBe('blue')
    dice = 0.25
    expect(await proxy.ask({ path: '/api/pay' })).toMatchObject({ body: two.address })
    expect(await proxy.ask({ path: '/other' })).toMatchObject({ status: 404 })
  })

  test('a reload counts for the next request and keeps what is known of endpoints', async () => {
    const good = await upstream()
    const proxy = await proxyTo([good])
    proxy.clusters.get(PAYMENTS)?.eject(good.address)
    const { proxyText } = await import('./support/start-test-proxy.ts')
    const { readProxySources } = await import('../proxy/load-proxy-files.ts')
    const changed = proxyText({
      endpoints: [good.address],
      route: 'fault: {abort: {httpStatus: 410, percentage: {value: 100}}}',
    })
    proxy.reload(readProxySources([{ file: 'proxy.yaml', text: changed }]))
    expect(await proxy.ask()).toMatchObject({ status: 410 })
    expect(proxy.clusters.get(PAYMENTS)?.endpoints[0]?.outlier.ejection?.type).toBe('manual')
  })
})

describe('what comes from outside', () => {
  test.each([
    [
      'both lengths',
      'POST / HTTP/1.1\r\nHost: payments\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: payments\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    ],
    ['a length that is none', 'POST / HTTP/1.1\r\nHost: payments\r\nContent-Length: +5\r\n\r\nhello'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : payments\r\n\r\n'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: payments\r\nX-A: b\r\n c\r\n\r\n'],
    [
      'chunked not last',
      'POST / HTTP/1.1\r\nHost: payments\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    ],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: payments\r\nHost: evil\r\n\r\n'],
  ])('%s never reaches the upstream', async (_name, bytes) => {
    const good = await upstream()
    const proxy = await proxyTo([good])
    const answer = await raw(proxy.outbound, bytes)
    expect(answer.split('\r\n', 1)[0]).toMatch(/^HTTP\/1\.1 400 /)
    expect(good.requests).toHaveLength(0)
    // The same way with nothing wrong does.
    expect(
      await raw(proxy.outbound, 'GET / HTTP/1.1\r\nHost: payments\r\nConnection: close\r\n\r\n'),
    ).toMatch(/^HTTP\/1\.1 200 /)
    expect(good.requests).toHaveLength(1)
  })

  test('HTTP/1.0 gets no chunks; Expect is answered here; the absolute form names the host', async () => {
    const good = await upstream((request, response) => {
      request.resume()
      request.on(
        'end',
        () => void response.writeHead(200, { 'x-host': request.headers.host ?? '' }).end('whole'),
      )
    })
    const proxy = await proxyTo([good])
    const old = await raw(proxy.outbound, 'GET / HTTP/1.0\r\nHost: payments\r\n\r\n')
    expect(old).not.toMatch(/transfer-encoding/i)
    expect(old).toMatch(/\r\n\r\nwhole$/)
    const expecting = await raw(
      proxy.outbound,
      'POST / HTTP/1.1\r\nHost: payments\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
    )
    expect(expecting).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
    expect(good.requests[1]?.headers['expect']).toBeUndefined()
    const absolute = await raw(
      proxy.outbound,
      'GET http://payments/x HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n',
    )
    expect(absolute).toMatch(/x-host: payments/)
    expect(good.requests[2]?.url).toBe('/x')
  })
})

function raw(address: string, bytes: string): Promise<string> {
  const [host = '', port = ''] = address.split(':')
  return new Promise((resolve, reject) => {
    let read = ''
    const socket = connect(Number(port), host, () => void socket.write(bytes))
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      read += chunk
    })
    socket.on('close', () => resolve(read))
    socket.on('error', reject)
  })
}
