import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { hasOpenssl, makeCertificates } from './support/make-certificates.ts'
import {
  PAYMENTS,
  startTestProxy,
  type TestProxy,
  type TestProxyOptions,
} from './support/start-test-proxy.ts'
import { answering, startUpstream, type Upstream } from './support/start-upstream.ts'
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
  endpoints: readonly string[],
  options: Omit<TestProxyOptions, 'endpoints'> = {},
): Promise<TestProxy> {
  const proxy = await startTestProxy({ endpoints, ...options })
  open.push(proxy)
  return proxy
}

/** An upstream that answers when it is told to. */
async function holding(): Promise<{ server: Upstream; held: ServerResponse[] }> {
  const held: ServerResponse[] = []
  const server = await upstream((request: IncomingMessage, response) => {
    request.resume()
    held.push(response)
  })
  return { server, held }
}

describe('connections', () => {
  test('beyond maxConnections wait their turn, oldest first, on the one that is there', async () => {
    const { server, held } = await holding()
    const proxy = await proxyTo([server.address], { traffic: 'connectionPool: {tcp: {maxConnections: 1}}' })
    const asked: Promise<unknown>[] = []
    for (const path of ['/1', '/2', '/3']) {
      asked.push(proxy.ask({ path }))
      await waitUntil('it is counted', () => {
        const load = proxy.clusters.get(PAYMENTS)?.load
        return load !== undefined && load.activeRequests === 1 && load.pendingRequests === asked.length - 1
      })
    }
    for (const at of [0, 1, 2]) {
      await waitUntil('the next one is there', () => held.length === at + 1)
      held[at]?.end('done')
    }
    await Promise.all(asked)
    expect(server.requests.map(({ url }) => url)).toEqual(['/1', '/2', '/3'])
    expect(new Set(server.requests.map(({ socket }) => socket)).size).toBe(1)
    expect(await proxy.stat('envoy_cluster_upstream_cx_total', PAYMENTS)).toBe(1)
    expect(await proxy.stat('envoy_cluster_upstream_cx_overflow', PAYMENTS)).toBe(2)
  })

  test('who waits gets a new connection when the one that is there breaks', async () => {
    const { server, held } = await holding()
    const proxy = await proxyTo([server.address], { traffic: 'connectionPool: {tcp: {maxConnections: 1}}' })
    const first = proxy.ask()
    await waitUntil('the first is there', () => held.length === 1)
    const second = proxy.ask({ path: '/second' })
    await waitUntil('the second waits', () => proxy.clusters.get(PAYMENTS)?.load.pendingRequests === 1)
    server.requests[0]?.socket.destroy()
    expect(await first).toMatchObject({ status: 503 })
    await waitUntil('the second is there', () => held.length === 2)
    held[1]?.end('done')
    expect(await second).toMatchObject({ status: 200, body: 'done' })
  })

  test('a caller that leaves while it waits is forgotten', async () => {
    const { server, held } = await holding()
    const proxy = await proxyTo([server.address], { traffic: 'connectionPool: {tcp: {maxConnections: 1}}' })
    const first = proxy.ask()
    await waitUntil('the first is there', () => held.length === 1)
    const leaving = new AbortController()
    const second = proxy.ask({ signal: leaving.signal }).catch(() => 'left')
    await waitUntil('the second waits', () => proxy.clusters.get(PAYMENTS)?.load.pendingRequests === 1)
    leaving.abort()
    expect(await second).toBe('left')
    await waitUntil('nobody waits', () => proxy.clusters.get(PAYMENTS)?.load.pendingRequests === 0)
    held[0]?.end()
    expect(await first).toMatchObject({ status: 200 })
    expect(server.requests).toHaveLength(1)
  })

  test('maxRequestsPerConnection: 1 asks for the end of each', async () => {
    const server = await upstream()
    const proxy = await proxyTo([server.address], {
      traffic: 'connectionPool: {http: {maxRequestsPerConnection: 1}}',
    })
    for (let i = 0; i < 3; i++) expect(await proxy.ask()).toMatchObject({ status: 200 })
    expect(server.requests.map(({ headers }) => headers.connection)).toEqual(['close', 'close', 'close'])
    expect(new Set(server.requests.map(({ socket }) => socket)).size).toBe(3)
    await waitUntil('none is left', () => proxy.clusters.get(PAYMENTS)?.load.connections === 0)
  })

  test('idle ones are closed after idleTimeout', async () => {
    const server = await upstream()
    const proxy = await proxyTo([server.address], { traffic: 'connectionPool: {http: {idleTimeout: 2s}}' })
    await proxy.ask()
    expect(proxy.clusters.get(PAYMENTS)?.load.connections).toBe(1)
    await waitUntil('it is closed', () => proxy.clusters.get(PAYMENTS)?.load.connections === 0)
  })

  test('many at once all come back, and nothing stays counted', async () => {
    const server = await upstream((request, response) => {
      request.resume()
      const dice = Number((request.url ?? '').slice(1)) % 5
      if (dice === 0) request.socket.destroy()
      else response.writeHead(dice === 1 ? 503 : 200).end('x'.repeat(dice * 1000))
    })
    const proxy = await proxyTo([server.address], {
      route: 'retries: {attempts: 2, retryOn: "5xx,reset", backoff: 1ms}',
      traffic: 'connectionPool: {tcp: {maxConnections: 7}}',
    })
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => proxy.ask({ path: `/${index}` })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(180)
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(120)
    expect(proxy.clusters.get(PAYMENTS)?.load).toMatchObject({
      pendingRequests: 0,
      activeRequests: 0,
      activeRetries: 0,
    })
    expect(proxy.clusters.get(PAYMENTS)?.load.connections).toBeLessThanOrEqual(7)
    expect(proxy.clusters.get(PAYMENTS)?.endpoints[0]?.activeRequests).toBe(0)
    expect(await proxy.stat('istio_requests_total')).toBe(300)
    expect(await proxy.stat('envoy_cluster_upstream_rq_retry', PAYMENTS)).toBe(240)
    expect(server.requests).toHaveLength(540)
  })

  test('a body that changes its mind about its length is not passed on as if it were whole', async () => {
    const server = createTcpServer((socket: Socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'))
    })
    const address = await listening(server)
    const proxy = await proxyTo([address])
    await expect(proxy.ask()).rejects.toThrow('aborted')
  })

  test('bytes that are no HTTP: 502 with UPE', async () => {
    const server = createTcpServer((socket: Socket) => {
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    })
    const proxy = await proxyTo([await listening(server)])
    expect(await proxy.ask()).toMatchObject({
      status: 502,
      body: expect.stringMatching(/reset reason: protocol error/),
    })
    expect(await proxy.stat('istio_requests_total', 'response_flags="UPE"')).toBe(1)
  })
})

describe.skipIf(!hasOpenssl)('TLS to the upstream', () => {
  test('verifies the name; a name that does not fit is a connect failure', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'meshwatch-tls-'))
    open.push({ close: async () => rmSync(dir, { recursive: true }) })
    const { caFile, certFile, keyFile } = makeCertificates(dir)
    const server = createTlsServer(
      { cert: readFileSync(certFile), key: readFileSync(keyFile) },
      answering(200, 'secret'),
    )
    const address = await listening(server)
    const tls = (sni: string) => `tls: {mode: SIMPLE, sni: ${sni}, caCertificates: ${caFile}}`
    const good = await proxyTo([address], { traffic: tls('localhost') })
    expect(await good.ask()).toMatchObject({ status: 200, body: 'secret' })
    const wrong = await proxyTo([address], { traffic: tls('elsewhere.example') })
    expect(await wrong.ask()).toMatchObject({
      status: 503,
      body: expect.stringMatching(/remote connection failure/),
    })
    expect(await wrong.stat('istio_requests_total', 'response_flags="UF"')).toBe(1)
  })

  test('a handshake that never ends is a connect timeout', async () => {
    const mute = createTcpServer(() => {})
    const proxy = await proxyTo([await listening(mute)], {
      traffic: 'tls: {mode: SIMPLE, sni: x}, connectionPool: {tcp: {connectTimeout: 100ms}}',
    })
    expect(await proxy.ask()).toMatchObject({
      status: 503,
      body: expect.stringMatching(/reset reason: connection timeout/),
    })
    expect(await proxy.stat('envoy_cluster_upstream_cx_connect_timeout', PAYMENTS)).toBe(1)
  })
})

async function listening(
  server: ReturnType<typeof createTcpServer> | ReturnType<typeof createTlsServer>,
): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  open.push({
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
