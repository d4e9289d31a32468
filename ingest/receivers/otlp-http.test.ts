import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccessControl } from '../../runtime/access-control.ts'
import { systemClock } from '../../runtime/clock.ts'
import { AppError } from '../../runtime/errors.ts'
import { silentLogger } from '../../runtime/logger.ts'
import { encodeRequest } from '../../test/support/otlp-messages.ts'
import { createRecordingSink, type RecordingSink } from '../../test/support/recording-sink.ts'
import { refusalsOf } from '../../test/support/refusals-of.ts'
import { createRefusals } from '../create-refusals.ts'
import type { ExportResult } from '../export-sink.ts'
import { type ByteBudget, createByteBudget } from './byte-budget.ts'
import { createOtlpHttp, type HttpTimeouts } from './otlp-http.ts'
import { exportResponse, statusMessage } from './otlp-response.ts'
import type { Receiver } from './receiver.ts'
import { createReceiverMetrics } from './receiver-metrics.ts'

const MAX_BYTES = 1_000_000
const PROTOBUF = { 'content-type': 'application/x-protobuf' }
const JSON_TYPE = { 'content-type': 'application/json' }
const TRACES = { resourceSpans: [{ schemaUrl: 'https://example.org', scopeSpans: [] }] }

/** Token `good` belongs to tenant `shop`, `reader` may only read. */
const ACCESS: AccessControl = {
  isEnforced: true,
  authorize({ authorization }) {
    if (authorization === 'Bearer reader')
      throw new AppError('PERMISSION_DENIED', 'Cannot send: scope ingest is missing')
    if (authorization !== 'Bearer good') throw new AppError('UNAUTHENTICATED', 'Cannot send: no such token')
    return { tenant: 'shop' }
  },
}
const OPEN: AccessControl = { isEnforced: false, authorize: () => ({ tenant: 'default' }) }

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

let sink: RecordingSink
let budget: ByteBudget
let registry: Registry
let receiver: Receiver
let url: string

async function start(
  settings: { access?: AccessControl; maxInFlight?: number; timeouts?: Partial<HttpTimeouts> } = {},
): Promise<void> {
  sink = createRecordingSink()
  registry = new Registry()
  budget = createByteBudget(settings.maxInFlight ?? 10_000_000)
  receiver = createOtlpHttp({
    sink,
    access: settings.access ?? OPEN,
    budget,
    metrics: createReceiverMetrics(registry, budget),
    refusals: createRefusals(registry),
    maxMessageBytes: MAX_BYTES,
    tls: null,
    logger: silentLogger(),
    clock: systemClock,
    timeouts: settings.timeouts ?? {},
  })
  url = await receiver.listen('127.0.0.1', 0)
}

beforeEach(() => start())
afterEach(async () => {
  await receiver.close(0)
  expect(budget.used).toBe(0)
})

async function post(
  path: string,
  headers: Record<string, string>,
  body: Uint8Array | string,
  method = 'POST',
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers,
    ...(method === 'POST' ? { body: body as string } : {}),
  })
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  }
}

function json(answer: Answer): unknown {
  return JSON.parse(answer.body.toString())
}

describe('a message that is taken', () => {
  const message = encodeRequest('traces', TRACES)

  test.each(['traces', 'metrics', 'logs'] as const)('reaches the sink byte by byte: %s', async (signal) => {
    const answer = await post(`/v1/${signal}`, PROTOBUF, message)
    expect(answer).toMatchObject({ status: 200, headers: PROTOBUF })
    expect(answer.body.length).toBe(0)
    expect(sink.messages).toEqual([{ signal, tenant: 'default', message: Buffer.from(message) }])
  })

  test.each([
    ['gzip', gzipSync(message)],
    ['zstd', zstdCompressSync(message)],
    ['identity', message],
  ])('compressed with %s', async (encoding, body) => {
    const answer = await post('/v1/traces?x=1', { ...PROTOBUF, 'content-encoding': encoding }, body)
    expect(answer.status).toBe(200)
    expect(sink.messages[0]?.message).toEqual(Buffer.from(message))
  })

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF8'])(
    'as JSON reaches it as protobuf: %s',
    async (type) => {
      const answer = await post('/v1/traces', { 'content-type': type }, JSON.stringify(TRACES))
      expect(answer).toMatchObject({ status: 200, headers: JSON_TYPE })
      expect(answer.body.toString()).toBe('{}')
      expect(sink.messages[0]?.message).toEqual(Buffer.from(message))
    },
  )

  test('may be empty, and may come in chunks', async () => {
    expect((await post('/v1/logs', PROTOBUF, '')).status).toBe(200)
    const chunks = [message.subarray(0, 5), message.subarray(5)]
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>()
    const request = httpRequest(`${url}/v1/traces`, { method: 'POST', headers: PROTOBUF }, resolve)
    for (const chunk of chunks) request.write(chunk)
    request.end()
    const response = await promise
    response.resume()
    expect(response.statusCode).toBe(200)
    expect(sink.messages.map(({ message }) => message.length)).toEqual([0, message.length])
  })

  test('in part is a partial success, in the form of the request', async () => {
    sink.answer = { rejected: 3, message: '3 spans without a trace id' }
    expect((await post('/v1/traces', PROTOBUF, message)).body).toEqual(exportResponse(sink.answer))
    expect(json(await post('/v1/logs', JSON_TYPE, '{}'))).toEqual({
      partialSuccess: { rejectedLogRecords: '3', errorMessage: '3 spans without a trace id' },
    })
  })

  test('waits for 100-continue when it says so', async () => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    const headers = { ...PROTOBUF, expect: '100-continue', 'content-length': message.length }
    const request = httpRequest(`${url}/v1/traces`, { method: 'POST', headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('continue', () => request.end(message))
    request.flushHeaders()
    expect(await promise).toBe(200)
  })
})

describe('a message that is refused', () => {
  const COUNTED: Readonly<Record<number, object>> = {
    400: { 'logs malformed': 1 },
    404: {},
    413: { 'logs too_large': 1 },
    415: { 'logs unsupported': 1 },
  }
  test.each([
    ['an unknown path', '/v1/profiles', JSON_TYPE, '{}', 404],
    ['no content type', '/v1/logs', {}, '', 415],
    ['another content type', '/v1/logs', { 'content-type': 'text/plain' }, 'x', 415],
    ['JSON that is not UTF-8', '/v1/logs', { 'content-type': 'application/json; charset=latin1' }, '{}', 415],
    ['another encoding', '/v1/logs', { ...JSON_TYPE, 'content-encoding': 'br' }, 'x', 415],
    ['malformed JSON', '/v1/logs', JSON_TYPE, '{"resourceLogs":7}', 400],
    ['a broken gzip body', '/v1/logs', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 'x', 400],
    ['a body above the limit', '/v1/logs', JSON_TYPE, ' '.repeat(MAX_BYTES + 1), 413],
  ])('%s', async (_name, path, headers, body, status) => {
    const answer = await post(path, headers as Record<string, string>, body)
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(json(answer)).toMatchObject({ message: expect.stringMatching(/^Cannot \w+ .*: /) })
    expect(answer.headers['retry-after']).toBeUndefined()
    expect(sink.messages).toEqual([])
    expect(await refusalsOf(registry)).toEqual(COUNTED[status])
  })

  test('tells the path of what is wrong', async () => {
    const answer = await post('/v1/logs', JSON_TYPE, '{"resourceLogs":[{"scopeLogs":7}]}')
    expect(json(answer)).toEqual({
      code: 3,
      message: 'Cannot read the OTLP/JSON message: resourceLogs[0].scopeLogs: expected an array, got 7',
    })
  })

  test('another method names the one allowed', async () => {
    const answer = await post('/v1/traces', {}, '', 'GET')
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(await refusalsOf(registry)).toEqual({})
  })

  test('preflight requests of browsers are not answered with leave', async () => {
    const answer = await post('/v1/traces', { origin: 'https://example.org' }, '', 'OPTIONS')
    expect(answer.status).toBe(405)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  test('a gzip bomb is refused at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000), { level: 9 })
    const answer = await post('/v1/traces', { ...PROTOBUF, 'content-encoding': 'gzip' }, bomb)
    expect(answer.status).toBe(413)
    expect(sink.messages).toEqual([])
    expect(await refusalsOf(registry)).toEqual({ 'traces too_large': 1 })
  })

  test('the status has the form of the request', async () => {
    sink.answer = new AppError('MALFORMED_MESSAGE', 'Cannot decode the message: cut short')
    const answer = await post('/v1/traces', PROTOBUF, 'x')
    expect(answer).toMatchObject({ status: 400, headers: PROTOBUF })
    expect(answer.body).toEqual(statusMessage({ code: 3, message: 'Cannot decode the message: cut short' }))
    // What the sink refuses it counts itself.
    expect(await refusalsOf(registry)).toEqual({})
  })

  test('what nobody expected is an internal error and keeps its secrets', async () => {
    sink.answer = new TypeError('x is not a function')
    const answer = await post('/v1/traces', JSON_TYPE, '{}')
    expect(answer.status).toBe(500)
    expect(json(answer)).toEqual({ code: 13, message: 'Cannot take the message: internal error' })
  })

  test.each([
    [
      new AppError('JOURNAL_FULL', 'Cannot take the message: the journal is full', { retryAfterMs: 2500 }),
      503,
      '3',
    ],
    [new AppError('TOO_MANY_REQUESTS', 'Cannot take the message: quota'), 429, '1'],
    [new AppError('JOURNAL_UNWRITABLE', 'Cannot take the message: disk', { retryAfterMs: 10 }), 503, '1'],
  ])('back-pressure says when to come again: %s', async (error, status, retryAfter) => {
    sink.answer = error
    const answer = await post('/v1/traces', PROTOBUF, '')
    expect(answer).toMatchObject({ status, headers: { 'retry-after': retryAfter } })
    expect(answer.body).toEqual(
      statusMessage({
        code: error.grpcStatus,
        message: error.message,
        retryAfterMs: error.retryAfterMs ?? 1000,
      }),
    )
  })
})

describe('tokens', () => {
  beforeEach(async () => {
    await receiver.close(0)
    await start({ access: ACCESS })
  })

  test('name the tenant, or the request is refused before its body is read', async () => {
    expect((await post('/v1/logs', { ...JSON_TYPE, authorization: 'Bearer good' }, '{}')).status).toBe(200)
    expect(sink.messages.map(({ tenant }) => tenant)).toEqual(['shop'])
    const anonymous = await post('/v1/logs', JSON_TYPE, '{}')
    expect(anonymous).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
    expect((await post('/v1/logs', { ...JSON_TYPE, authorization: 'Bearer reader' }, '{}')).status).toBe(403)
    expect(sink.messages.length).toBe(1)
    expect(await refusalsOf(registry)).toEqual({ 'logs unauthenticated': 1, 'logs permission_denied': 1 })
  })

  test('a refused client that waits for 100-continue is not asked for the body', async () => {
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>()
    const headers = { ...JSON_TYPE, expect: '100-continue', 'content-length': 900_000 }
    const request = httpRequest(`${url}/v1/logs`, { method: 'POST', headers }, resolve)
    let isAsked = false
    request.on('continue', () => {
      isAsked = true
    })
    request.flushHeaders()
    const response = await promise
    expect({ status: response.statusCode, isAsked }).toEqual({ status: 401, isAsked: false })
    request.destroy()
  })
})

describe('bytes in flight', () => {
  test('are bounded: what finds no room is asked to come again, and there is room again afterwards', async () => {
    await receiver.close(0)
    await start({ maxInFlight: 500_000 })
    const gate = Promise.withResolvers<ExportResult>()
    const arrived = Promise.withResolvers<void>()
    sink.answer = () => {
      arrived.resolve()
      return gate.promise
    }
    const first = post('/v1/traces', PROTOBUF, Buffer.alloc(400_000))
    await arrived.promise
    expect(budget.used).toBe(400_000)
    const metrics = await registry.metrics()
    expect(metrics).toContain('meshwatch_otlp_in_flight_bytes 400000')
    expect(metrics).toContain('meshwatch_otlp_in_flight_requests 1')
    const second = await post('/v1/traces', PROTOBUF, Buffer.alloc(200_000))
    expect(second).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    const inflated = await post(
      '/v1/traces',
      { ...PROTOBUF, 'content-encoding': 'gzip' },
      gzipSync(Buffer.alloc(200_000)),
    )
    expect(inflated.status).toBe(503)
    expect(await refusalsOf(registry)).toEqual({ 'traces overloaded': 2 })
    gate.resolve({ rejected: 0, message: '' })
    expect((await first).status).toBe(200)
    expect((await post('/v1/traces', PROTOBUF, Buffer.alloc(200_000))).status).toBe(200)
    expect(sink.messages.length).toBe(2)
  })
})

describe('connections', () => {
  test('are kept after a refusal whose body was small', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports: (number | undefined)[] = []
    for (const type of ['text/plain', 'application/json']) {
      const { promise, resolve } = Promise.withResolvers<IncomingMessage>()
      const request = httpRequest(
        `${url}/v1/logs`,
        { method: 'POST', agent, headers: { 'content-type': type } },
        resolve,
      )
      request.end(type === 'text/plain' ? 'x'.repeat(300_000) : '{}')
      const response = await promise
      ports.push(response.socket.localPort)
      response.resume()
      await new Promise((done) => response.once('close', done))
    }
    agent.destroy()
    expect(ports[0]).toBe(ports[1])
    expect(sink.messages.length).toBe(1)
  })

  test('a client that sends far too much reads its refusal, not a reset', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const request = httpRequest(`${url}/v1/logs`, { method: 'POST', headers: JSON_TYPE }, resolve)
    request.on('error', reject)
    const chunk = Buffer.alloc(100_000, ' ')
    for (let sent = 0; sent < 300; sent++) request.write(chunk)
    request.end()
    const response = await promise
    response.resume()
    expect(response.statusCode).toBe(413)
    expect(response.headers.connection).toBe('close')
    await new Promise((done) => response.once('close', done))
  })

  test('a client that goes away in the middle of its body gives back what it took', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(
      'POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n{"a"',
    )
    await until(() => budget.used === 9000)
    socket.destroy()
    await until(() => budget.used === 0)
    await until(async () => (await registry.metrics()).includes('code="499"'))
    expect(sink.messages).toEqual([])
    expect(await refusalsOf(registry)).toEqual({})
  })

  test('that trickle are cut', async () => {
    await receiver.close(0)
    await start({ timeouts: { headersMs: 50, requestMs: 100 } })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const received: Buffer[] = []
    socket.on('data', (data) => received.push(data))
    socket.write(
      'POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n{',
    )
    await new Promise((done) => socket.once('close', done))
    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 408 /)
    await until(() => budget.used === 0)
  })
})

describe('the end', () => {
  test('waits for requests in flight and answers them', async () => {
    const gate = Promise.withResolvers<ExportResult>()
    const arrived = Promise.withResolvers<void>()
    sink.answer = () => {
      arrived.resolve()
      return gate.promise
    }
    const inFlight = post('/v1/traces', JSON_TYPE, '{}')
    await arrived.promise
    const closed = receiver.close(10_000)
    await expect(fetch(`${url}/v1/traces`, { method: 'POST' })).rejects.toThrow()
    gate.resolve({ rejected: 0, message: '' })
    expect(await inFlight).toMatchObject({ status: 200, headers: { connection: 'close' } })
    await closed
  })

  test('refuses what still comes on a connection that is open, and counts it', async () => {
    const gate = Promise.withResolvers<ExportResult>()
    const arrived = Promise.withResolvers<void>()
    sink.answer = () => {
      arrived.resolve()
      return gate.promise
    }
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const request =
      'POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'
    socket.write(request)
    await arrived.promise
    const closed = receiver.close(10_000)
    socket.write(request)
    await until(async () => (await registry.metrics()).includes('code="503"'))
    expect(await refusalsOf(registry)).toEqual({ 'logs shutting_down': 1 })
    gate.resolve({ rejected: 0, message: '' })
    await closed
    socket.destroy()
  })

  test('does not wait for ever', async () => {
    const arrived = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<ExportResult>()
    sink.answer = () => {
      arrived.resolve()
      return gate.promise
    }
    const inFlight = post('/v1/traces', JSON_TYPE, '{}').catch((error: unknown) => error)
    await arrived.promise
    await receiver.close(20)
    expect(await inFlight).toBeInstanceOf(Error)
    gate.resolve({ rejected: 0, message: '' })
    await until(() => budget.used === 0)
  })

  test('a port that is taken is said in one sentence', async () => {
    const port = Number(new URL(url).port)
    const other = createOtlpHttp({
      sink,
      access: OPEN,
      budget,
      metrics: createReceiverMetrics(new Registry(), budget),
      refusals: createRefusals(new Registry()),
      maxMessageBytes: MAX_BYTES,
      tls: null,
      logger: silentLogger(),
      clock: systemClock,
    })
    await expect(other.listen('127.0.0.1', port)).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port} for OTLP/HTTP: the port is in use`,
    )
    await other.close(0)
  })
})

test('the metrics tell protocol, signal, code and bytes', async () => {
  await post('/v1/traces', PROTOBUF, Buffer.alloc(10))
  await post('/v1/logs', JSON_TYPE, '[]')
  const text = await registry.metrics()
  expect(text).toContain(
    'meshwatch_otlp_request_duration_seconds_count{protocol="http/protobuf",signal="traces",code="200"} 1',
  )
  expect(text).toContain(
    'meshwatch_otlp_request_duration_seconds_count{protocol="http/json",signal="logs",code="400"} 1',
  )
  expect(text).toContain('meshwatch_otlp_received_bytes_total{protocol="http/protobuf",signal="traces"} 10')
  expect(text).toContain('meshwatch_otlp_received_bytes_total{protocol="http/json",signal="logs"} 2')
})

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((done) => setImmediate(done))
}
