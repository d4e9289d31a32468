import { createHash, type Hash } from 'node:crypto'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { startTestProxy, type TestProxy, type TestProxyOptions } from './support/start-test-proxy.ts'
import { startUpstream, type Upstream } from './support/start-upstream.ts'
import { waitUntil } from './support/wait-until.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function setUp(
  handle: Upstream['handle'],
  options: Omit<TestProxyOptions, 'endpoints'> = {},
): Promise<{ upstream: Upstream; proxy: TestProxy }> {
  const upstream = await startUpstream(handle)
  open.push(upstream)
  const proxy = await startTestProxy({ endpoints: [upstream.address], ...options })
  open.push(proxy)
  return { upstream, proxy }
}

const CHUNK = Buffer.alloc(64 * 1024, 'meshwatch ')
const CHUNKS = 800

describe('large bodies', () => {
  test('stream up and down whole, without being kept', async () => {
    const { proxy } = await setUp((request, response) => {
      response.writeHead(200)
      request.pipe(response)
    })
    const sent = createHash('sha256')
    let underWay = 0
    let peak = 0
    const body = Readable.from(
      (function* () {
        for (let i = 0; i < CHUNKS; i++) {
          sent.update(CHUNK)
          underWay += CHUNK.length
          peak = Math.max(peak, underWay)
          yield CHUNK
        }
      })(),
    )
    const response = await begin(proxy, 'PUT', body)
    response.on('data', (chunk: Buffer) => {
      underWay -= chunk.length
    })
    const got = await hashOf(response)
    expect(got).toEqual({ bytes: CHUNK.length * CHUNKS, digest: sent.digest('hex') })
    // What the kernel's buffers of four sockets hold; the body is twice that.
    expect(peak).toBeLessThan(25 * 1024 * 1024)
    expect(await proxy.stat('istio_request_bytes_sum')).toBe(CHUNK.length * CHUNKS)
    expect(await proxy.stat('istio_response_bytes_sum')).toBe(CHUNK.length * CHUNKS)
  })

  test('a caller that does not read stops the upstream', async () => {
    let written = 0
    const { proxy, upstream } = await setUp((_request, response) => {
      response.writeHead(200)
      const more = (): void => {
        while (response.writable) {
          written += CHUNK.length
          if (!response.write(CHUNK)) return void response.once('drain', more)
        }
      }
      more()
    })
    const response = await begin(proxy, 'GET')
    response.pause()
    let last = -1
    await waitUntil('the upstream stands still', async () => {
      const isStill = written === last
      last = written
      await new Promise((resolve) => setTimeout(resolve, 200))
      return isStill && written === last
    })
    // What the kernel's buffers of three sockets can hold, and no more.
    expect(written).toBeLessThan(64 * 1024 * 1024)
    response.destroy()
    await waitUntil('the upstream is let go', () => upstream.requests[0]?.socket.destroyed === true)
  })

  test('an early answer does not wait for the body', async () => {
    const { proxy } = await setUp((_request, response) => {
      response.writeHead(413, { connection: 'close' }).end('too large')
    })
    const endless = new Readable({ read() {} })
    endless.push(CHUNK)
    const response = await begin(proxy, 'PUT', endless)
    expect(response.statusCode).toBe(413)
    endless.destroy()
    response.destroy()
  })

  test('an early answer leaves a connection that can be used again', async () => {
    const { proxy } = await setUp((request, response) => {
      if (request.method === 'GET') return void response.end('next')
      response.writeHead(413).end('too large')
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const [host = '', port = ''] = proxy.outbound.split(':')
    const call = (method: string, body?: Buffer, name = 'payments') =>
      new Promise<[number | undefined, string]>((resolve, reject) => {
        const request = httpRequest({ host, port, method, agent, headers: { host: name } }, (response) => {
          text(response).then((read) => resolve([response.statusCode, read]), reject)
        })
        request.on('error', reject)
        request.end(body)
      })
    // More than the buffers of the sockets hold, so somebody has to read it.
    expect(await call('PUT', Buffer.alloc(20 * 1024 * 1024))).toEqual([413, 'too large'])
    expect(await call('GET')).toEqual([200, 'next'])
    expect(await call('PUT', Buffer.alloc(20 * 1024 * 1024), 'nowhere')).toEqual([404, ''])
    expect(await call('GET')).toEqual([200, 'next'])
    agent.destroy()
  }, 10_000)
})

describe('ends', () => {
  test('a response that breaks off breaks off for the caller, and the endpoint is charged', async () => {
    const { proxy } = await setUp(
      (_request, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('half')
        response.once('drain', () => {})
        setImmediate(() => response.destroy())
      },
      { traffic: 'outlierDetection: {consecutive5xxErrors: 1, maxEjectionPercent: 100}' },
    )
    await expect(proxy.ask()).rejects.toThrow('aborted')
    expect(await proxy.stat('istio_requests_total', 'response_flags="UC"')).toBe(1)
    expect(await proxy.stat('istio_requests_total', 'response_code="200"')).toBe(1)
    expect(await proxy.stat('envoy_cluster_outlier_detection_ejections_enforced_total')).toBe(1)
  })

  test('a caller that leaves takes the attempt along; nobody is charged', async () => {
    const { proxy, upstream } = await setUp((request) => void request.resume(), {
      route: 'retries: {attempts: 3, retryOn: "5xx,reset"}',
      traffic: 'outlierDetection: {consecutive5xxErrors: 1, maxEjectionPercent: 100}',
    })
    const leaving = new AbortController()
    const asked = proxy.ask({ signal: leaving.signal }).catch(() => 'left')
    await waitUntil('the request is there', () => upstream.requests.length === 1)
    leaving.abort()
    await asked
    await waitUntil('the upstream sees it', () => upstream.requests[0]?.socket.destroyed === true)
    await waitUntil(
      'it is counted',
      async () => (await proxy.stat('istio_requests_total', 'response_flags="DC"')) === 1,
    )
    expect(upstream.requests).toHaveLength(1)
    expect(await proxy.stat('envoy_cluster_outlier_detection_ejections_enforced_total')).toBe(0)
  })

  test('trailers of a response and early hints reach the caller; HEAD and 204 have no body', async () => {
    const { proxy } = await setUp((request, response) => {
      request.resume()
      if (request.url === '/none') return void response.writeHead(204).end()
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      if (request.method === 'HEAD') return void response.writeHead(200, { 'content-length': '7' }).end()
      response.writeHead(200, { trailer: 'grpc-status' })
      response.addTrailers({ 'grpc-status': '14' })
      response.end('content')
    })
    const hints: unknown[] = []
    const response = await begin(proxy, 'GET', undefined, (info) => hints.push(info))
    expect((await hashOf(response)).bytes).toBe(7)
    expect(response.trailers).toEqual({ 'grpc-status': '14' })
    expect(hints).toEqual(['</style.css>; rel=preload'])
    const head = await proxy.ask({ method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, body: '' })
    expect(head.headers['content-length']).toBe('7')
    expect(await proxy.ask({ path: '/none' })).toMatchObject({ status: 204, body: '' })
  })

  test('connections are kept and used again, also after a retried answer', async () => {
    let count = 0
    const { proxy, upstream } = await setUp(
      (request, response) => {
        request.resume()
        count += 1
        response.writeHead(count % 2 === 1 ? 503 : 200).end('text')
      },
      { route: 'retries: {attempts: 1, retryOn: 5xx}' },
    )
    for (let i = 0; i < 10; i++) expect((await proxy.ask()).status).toBe(200)
    expect(upstream.requests).toHaveLength(20)
    expect(new Set(upstream.requests.map(({ socket }) => socket)).size).toBeLessThanOrEqual(3)
  })

  test('headers between neighbours stay there; what Connection names goes, but not what frames the message', async () => {
    const { proxy, upstream } = await setUp((request, response) => {
      request.resume()
      response.writeHead(200, {
        'x-private': '1',
        connection: 'x-private',
        'x-public': '2',
        'set-cookie': ['a=1', 'b=2'],
      })
      response.end()
    })
    const answer = await proxy.ask({
      headers: {
        connection: 'x-hop, content-length',
        'x-hop': '1',
        te: 'trailers',
        'proxy-authorization': 'Basic x',
      },
      method: 'POST',
      body: 'abc',
    })
    const got = upstream.requests[0]?.headers
    expect(got).toMatchObject({ 'content-length': '3' })
    for (const name of ['x-hop', 'te', 'proxy-authorization']) expect(got).not.toHaveProperty(name)
    expect(answer.headers).toMatchObject({ 'x-public': '2', 'set-cookie': ['a=1', 'b=2'] })
    expect(answer.headers).not.toHaveProperty('x-private')
  })
})

function begin(
  proxy: TestProxy,
  method: string,
  body?: Readable,
  onHint?: (link: unknown) => void,
): Promise<IncomingMessage> {
  const [host = '', port = ''] = proxy.outbound.split(':')
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host, port, method, agent: false, headers: { host: 'payments' } }, resolve)
    request.on('error', reject)
    if (onHint !== undefined) request.on('information', ({ headers }) => onHint(headers['link']))
    if (body === undefined) request.end()
    else body.pipe(request)
  })
}

async function hashOf(response: IncomingMessage): Promise<{ bytes: number; digest: string }> {
  const hash: Hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, digest: hash.digest('hex') }
}
