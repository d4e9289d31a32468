import { connect } from 'node:http2'
import {
  type ChannelCredentials,
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccessControl } from '../../runtime/access-control.ts'
import { systemClock } from '../../runtime/clock.ts'
import { AppError } from '../../runtime/errors.ts'
import { silentLogger } from '../../runtime/logger.ts'
import { createRecordingSink, type RecordingSink } from '../../test/support/recording-sink.ts'
import { refusalsOf } from '../../test/support/refusals-of.ts'
import { createRefusals } from '../create-refusals.ts'
import type { ExportResult } from '../export-sink.ts'
import { type ByteBudget, createByteBudget } from './byte-budget.ts'
import { createOtlpGrpc } from './otlp-grpc.ts'
import { exportResponse, statusMessage } from './otlp-response.ts'
import type { Receiver } from './receiver.ts'
import { createReceiverMetrics } from './receiver-metrics.ts'

const MAX_BYTES = 1_000_000
const SERVICES = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
}
const ACCESS: AccessControl = {
  isEnforced: true,
  authorize(headers) {
    if (headers.authorization !== 'Bearer good')
      throw new AppError('UNAUTHENTICATED', 'Cannot send: no such token')
    return { tenant: headers['x-scope-orgid'] ?? 'shop' }
  },
}
const OPEN: AccessControl = { isEnforced: false, authorize: () => ({ tenant: 'default' }) }

let sink: RecordingSink
let budget: ByteBudget
let registry: Registry
let receiver: Receiver
let client: Client

async function start(settings: { access?: AccessControl; maxInFlight?: number } = {}): Promise<void> {
  sink = createRecordingSink()
  registry = new Registry()
  budget = createByteBudget(settings.maxInFlight ?? 10_000_000)
  receiver = createOtlpGrpc({
    sink,
    access: settings.access ?? OPEN,
    budget,
    metrics: createReceiverMetrics(registry, budget),
    refusals: createRefusals(registry),
    maxMessageBytes: MAX_BYTES,
    tls: null,
    logger: silentLogger(),
    clock: systemClock,
  })
  client = connectTo(await receiver.listen('127.0.0.1', 0), credentials.createInsecure())
}

function connectTo(address: string, how: ChannelCredentials, options: object = {}): Client {
  return new Client(address, how, options)
}

async function stop(): Promise<void> {
  client.close()
  await receiver.close(0)
}

beforeEach(() => start())
afterEach(async () => {
  await stop()
  expect(budget.used).toBe(0)
})

function send(
  service: string,
  message: Buffer,
  headers: Record<string, string> = {},
  by = client,
): Promise<Buffer> {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  const identity = (bytes: Buffer): Buffer => bytes
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  by.makeUnaryRequest(`/${service}/Export`, identity, identity, message, metadata, (error, response) => {
    if (error !== null || response === undefined) reject(error)
    else resolve(response)
  })
  return promise
}

function callHeaders(more: Record<string, string>): Record<string, string> {
  const own = { ':method': 'POST', ':path': `/${SERVICES.logs}/Export`, te: 'trailers' }
  return { ...own, 'content-type': 'application/grpc', ...more }
}

/** Sends a message as compressed in a way of which the client knows nothing. Resolves with the status. */
async function sendCompressed(address: string, encoding: string, message: Buffer): Promise<unknown> {
  const session = connect(`http://${address}`)
  const stream = session.request(callHeaders({ 'grpc-encoding': encoding }))
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  stream.once('response', (headers) => resolve(headers['grpc-status'])).once('error', reject)
  stream.end(Buffer.concat([Buffer.from([1, 0, 0, 0, message.length]), message]))
  stream.resume()
  return await promise.finally(() => session.close())
}

async function refusal(sent: Promise<unknown>): Promise<ServiceError> {
  return await sent.then(
    () => {
      throw new Error('the message was taken')
    },
    (error: ServiceError) => error,
  )
}

describe('a message that is taken', () => {
  test.each(['traces', 'metrics', 'logs'] as const)('reaches the sink byte by byte: %s', async (signal) => {
    const message = Buffer.from([1, 2, 255, 0, 128])
    expect((await send(SERVICES[signal], message)).length).toBe(0)
    expect(sink.messages).toEqual([{ signal, tenant: 'default', message }])
  })

  test('compressed with gzip', async () => {
    const address = client.getChannel().getTarget().replace(/^dns:/, '')
    const gzip = connectTo(address, credentials.createInsecure(), {
      'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
    })
    const message = Buffer.alloc(500_000, 'mesh')
    await send(SERVICES.traces, message, {}, gzip)
    gzip.close()
    expect(sink.messages[0]?.message.equals(message)).toBe(true)
  })

  test('in part is a partial success', async () => {
    sink.answer = { rejected: 2, message: '2 spans without a trace id' }
    expect(await send(SERVICES.traces, Buffer.alloc(3))).toEqual(exportResponse(sink.answer))
  })

  test('may be empty', async () => {
    await send(SERVICES.logs, Buffer.alloc(0))
    expect(sink.messages.map(({ message }) => message.length)).toEqual([0])
  })
})

describe('a message that is refused', () => {
  test.each([
    [
      new AppError('MALFORMED_MESSAGE', 'Cannot decode the message: cut short'),
      status.INVALID_ARGUMENT,
      undefined,
    ],
    [
      new AppError('JOURNAL_FULL', 'Cannot take the message: über-full', { retryAfterMs: 1500 }),
      status.UNAVAILABLE,
      1500,
    ],
    [new AppError('TOO_MANY_REQUESTS', 'Cannot take the message: quota'), status.RESOURCE_EXHAUSTED, 1000],
  ])('carries its status in the details: %s', async (thrown, code, retryAfterMs) => {
    sink.answer = thrown
    const error = await refusal(send(SERVICES.traces, Buffer.alloc(3)))
    expect(error).toMatchObject({ code, details: thrown.message })
    expect(error.metadata.get('grpc-status-details-bin')[0]).toEqual(
      statusMessage({ code, message: thrown.message, retryAfterMs }),
    )
  })

  test('what nobody expected is an internal error and keeps its secrets', async () => {
    sink.answer = new TypeError('x is not a function')
    expect(await refusal(send(SERVICES.traces, Buffer.alloc(3)))).toMatchObject({
      code: status.INTERNAL,
      details: 'Cannot take the message: internal error',
    })
  })

  test('above the limit, and a gzip bomb likewise, is not to be tried again', async () => {
    const address = client.getChannel().getTarget().replace(/^dns:/, '')
    const gzip = connectTo(address, credentials.createInsecure(), {
      'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
    })
    for (const [by, size] of [
      [client, MAX_BYTES + 1],
      [gzip, MAX_BYTES + 1],
      [gzip, 60_000_000],
    ] as const) {
      const error = await refusal(send(SERVICES.traces, Buffer.alloc(size), {}, by))
      expect(error.code).toBe(status.RESOURCE_EXHAUSTED)
      expect(error.metadata.get('grpc-status-details-bin')).toEqual([])
    }
    await send(SERVICES.traces, Buffer.alloc(MAX_BYTES), {}, gzip)
    gzip.close()
    expect(sink.messages.map(({ message }) => message.length)).toEqual([MAX_BYTES])
    expect(await refusalsOf(registry)).toEqual({ 'traces too_large': 3 })
    expect(await registry.metrics()).toContain('_count{protocol="grpc",signal="traces",code="8"} 3')
  })

  test.each([
    ['an unknown compression', 'zstd', status.UNIMPLEMENTED, 'unsupported'],
    ['gzip that is none', 'gzip', status.INTERNAL, 'malformed'],
  ])('%s is counted', async (_, encoding, code, reason) => {
    const address = client.getChannel().getTarget().replace(/^dns:/, '')
    expect(await sendCompressed(address, encoding, Buffer.from('none'))).toBe(String(code))
    expect(sink.messages).toEqual([])
    expect(await refusalsOf(registry)).toEqual({ [`logs ${reason}`]: 1 })
    expect(await registry.metrics()).toContain(`_count{protocol="grpc",signal="logs",code="${code}"} 1`)
  })

  test('what the sink refuses it counts itself', async () => {
    sink.answer = new AppError('MALFORMED_MESSAGE', 'Cannot decode the message: cut short')
    await refusal(send(SERVICES.traces, Buffer.alloc(3)))
    expect(await refusalsOf(registry)).toEqual({})
  })

  test('a call whose time is up before its message came is not counted', async () => {
    const address = client.getChannel().getTarget().replace(/^dns:/, '')
    const session = connect(`http://${address}`)
    const stream = session.request(callHeaders({ 'grpc-timeout': '20m' }))
    stream.resume()
    await new Promise((done) => stream.once('response', done))
    session.destroy()
    expect(await registry.metrics()).toContain(`signal="logs",code="${status.DEADLINE_EXCEEDED}"} 1`)
    expect(await refusalsOf(registry)).toEqual({})
  })

  test('an unknown service is unimplemented', async () => {
    const error = await refusal(
      send('opentelemetry.proto.collector.profiles.v1.ProfilesService', Buffer.alloc(1)),
    )
    expect(error.code).toBe(status.UNIMPLEMENTED)
  })

  test('without room, asks to come again', async () => {
    await stop()
    await start({ maxInFlight: 500_000 })
    const gate = Promise.withResolvers<ExportResult>()
    const arrived = Promise.withResolvers<void>()
    sink.answer = () => {
      arrived.resolve()
      return gate.promise
    }
    const first = send(SERVICES.traces, Buffer.alloc(400_000))
    await arrived.promise
    const error = await refusal(send(SERVICES.traces, Buffer.alloc(200_000)))
    expect(error.code).toBe(status.UNAVAILABLE)
    expect(await refusalsOf(registry)).toEqual({ 'traces overloaded': 1 })
    gate.resolve({ rejected: 0, message: '' })
    await first
    await send(SERVICES.traces, Buffer.alloc(200_000))
    expect(sink.messages.length).toBe(2)
  })
})

test('tokens and tenants come in the metadata', async () => {
  await stop()
  await start({ access: ACCESS })
  const stranger = await refusal(send(SERVICES.logs, Buffer.alloc(1)))
  expect(stranger.code).toBe(status.UNAUTHENTICATED)
  expect(stranger.metadata.get('grpc-status-details-bin')[0]).toEqual(
    statusMessage({ code: status.UNAUTHENTICATED, message: 'Cannot send: no such token' }),
  )
  const text = await registry.metrics()
  expect(text).toContain('_count{protocol="grpc",signal="logs",code="16"} 1')
  // Refused at the head: no byte of the message counts as received.
  expect(text).not.toContain('meshwatch_otlp_received_bytes_total{')
  await send(SERVICES.logs, Buffer.alloc(1), { authorization: 'Bearer good' })
  await send(SERVICES.logs, Buffer.alloc(1), { authorization: 'Bearer good', 'x-scope-orgid': 'other' })
  expect(sink.messages.map(({ tenant }) => tenant)).toEqual(['shop', 'other'])
  expect(await refusalsOf(registry)).toEqual({ 'logs unauthenticated': 1 })
})

describe('the end', () => {
  test('waits for calls in flight and answers them', async () => {
    const gate = Promise.withResolvers<ExportResult>()
    const arrived = Promise.withResolvers<void>()
    sink.answer = () => {
      arrived.resolve()
      return gate.promise
    }
    const inFlight = send(SERVICES.traces, Buffer.alloc(3))
    await arrived.promise
    const closed = receiver.close(10_000)
    gate.resolve({ rejected: 0, message: '' })
    expect((await inFlight).length).toBe(0)
    client.close()
    await closed
  })

  test('does not wait for ever', async () => {
    const arrived = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<ExportResult>()
    sink.answer = () => {
      arrived.resolve()
      return gate.promise
    }
    const inFlight = refusal(send(SERVICES.traces, Buffer.alloc(3)))
    await arrived.promise
    await receiver.close(20)
    expect((await inFlight).code).not.toBe(status.OK)
    gate.resolve({ rejected: 0, message: '' })
    while (budget.used > 0) await new Promise((done) => setImmediate(done))
  })

  test('a port that is taken is said in one sentence', async () => {
    const address = client.getChannel().getTarget().replace(/^dns:/, '')
    const other = createOtlpGrpc({
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
    await expect(other.listen('127.0.0.1', Number(address.split(':')[1]))).rejects.toThrow(
      `Cannot listen on ${address} for OTLP/gRPC: the port is in use`,
    )
    await other.close(0)
  })
})

test('the metrics tell signal, code and bytes', async () => {
  await send(SERVICES.traces, Buffer.alloc(10))
  const text = await registry.metrics()
  expect(text).toContain(
    'meshwatch_otlp_request_duration_seconds_count{protocol="grpc",signal="traces",code="0"} 1',
  )
  expect(text).toContain('meshwatch_otlp_received_bytes_total{protocol="grpc",signal="traces"} 10')
  expect(text).toContain('meshwatch_otlp_in_flight_requests 0')
})
