import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { constants, createGzip, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { readIngestMetrics } from './support/ingest-metrics.ts'
import { connectRawGrpc, postRaw, type RawGrpcClient } from './support/otlp-client.ts'
import { residentMemory } from './support/resident-memory.ts'
import { createSpanMessage } from './support/span-message.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'
import { waitUntil } from './support/wait-until.ts'

const MIB = 2 ** 20
const MAX_MESSAGE = 8 * MIB
/** What all requests together may take beside what the server takes at rest. */
const MAX_GROWTH = 1000 * MIB

let server: MeshwatchServer
let grpc: RawGrpcClient
let atRest = 0

beforeAll(async () => {
  server = await startMeshwatch({
    environment: {
      MESHWATCH_INGEST__MAX_MESSAGE_SIZE: '8MiB',
      MESHWATCH_INGEST__MAX_IN_FLIGHT: '64MiB',
    },
  })
  grpc = connectRawGrpc(server.otlpGrpcAddress)
  await sendGood()
  atRest = residentMemory(server.child.pid).highest
})

afterEach(async () => {
  // Whatever was sent: the server is there, takes the next message, and has not grown beyond its bounds.
  await sendGood()
  const growth = residentMemory(server.child.pid).highest - atRest
  console.info(
    `oversize: ${Math.round(growth / MIB)} MiB more at most, ${Math.round(atRest / MIB)} MiB at rest`,
  )
  expect(growth).toBeLessThan(MAX_GROWTH)
})

afterAll(async () => {
  grpc?.close()
  expect(await server?.stop()).toBe(0)
})

async function sendGood(): Promise<void> {
  const message = createSpanMessage(3, 'good')
  message.renew(1, systemClock.now())
  expect((await postRaw(server.otlpHttpUrl, 'traces', message.bytes)).status).toBe(200)
  expect((await grpc.export('traces', message.bytes)).code).toBe(0)
}

const post = (bytes: Uint8Array, encoding: string, type = 'application/x-protobuf') =>
  postRaw(server.otlpHttpUrl, 'traces', bytes, { 'content-type': type, 'content-encoding': encoding })

/** The statuses of `count` requests at once. */
async function statuses(count: number, send: () => Promise<{ readonly status: number }>): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, send))
  return [...new Set(answers.map(({ status }) => status))].sort()
}

/** `bytes` zeros, compressed: a thousandth of it. */
async function gzipBomb(bytes: number): Promise<Buffer> {
  const gzip = createGzip({ level: constants.Z_BEST_COMPRESSION })
  const piece = Buffer.alloc(MIB)
  const chunks: Buffer[] = []
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk))
  for (let at = 0; at < bytes; at += MIB) {
    if (!gzip.write(piece)) await new Promise((resolve) => gzip.once('drain', resolve))
  }
  gzip.end()
  await new Promise((resolve) => gzip.once('end', resolve))
  return Buffer.concat(chunks)
}

test('a gzip bomb is refused while it is inflated', async () => {
  const bomb = await gzipBomb(1024 * MIB)
  expect(bomb.length).toBeLessThan(2 * MIB)
  expect(await statuses(16, () => post(bomb, 'gzip'))).toEqual([413])
  const { body } = await post(bomb, 'gzip', 'application/json')
  expect(JSON.parse(body)).toMatchObject({ message: expect.stringContaining('larger than 8388608 bytes') })
  // 8 is RESOURCE_EXHAUSTED.
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => grpc.export('traces', Buffer.alloc(60 * MIB), true)),
  )
  expect(answers.map(({ code }) => code)).toEqual([8, 8, 8, 8])
})

test('a bomb of many members or frames is refused too', async () => {
  const piece = Buffer.alloc(7 * MIB)
  const members = Buffer.concat(Array.from({ length: 100 }, () => gzipSync(piece)))
  const frames = Buffer.concat(Array.from({ length: 100 }, () => zstdCompressSync(piece)))
  expect(await statuses(8, () => post(members, 'gzip'))).toEqual([413])
  expect(await statuses(8, () => post(frames, 'zstd'))).toEqual([413])
  expect((await post(zstdCompressSync(Buffer.alloc(200 * MIB)), 'zstd')).status).toBe(413)
})

test('a gzip that says a size it does not have is refused or taken by its true size', async () => {
  const message = createSpanMessage(3, 'liar')
  message.renew(2, systemClock.now())
  const honest = gzipSync(message.bytes)
  for (const size of [0, 0xffff_ffff, 1, 7 * MIB]) {
    const liar = Buffer.from(honest)
    liar.writeUInt32LE(size, liar.length - 4)
    expect((await post(liar, 'gzip')).status).toBe(400)
  }
  expect((await post(honest, 'gzip')).status).toBe(200)
})

test('a body that is too long is refused before it is read', async () => {
  expect(await statuses(8, () => post(Buffer.alloc(MAX_MESSAGE + 1), 'identity'))).toEqual([413])
  const answer = await talk(
    `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 999999999999\r\n\r\n`,
  )
  expect(answer).toMatch(/^HTTP\/1\.1 413 /)
})

test('a body that does not say its length is refused when it is too long', async () => {
  // It does end, far beyond the limit: a client that goes on taking from it when nobody reads any more must not take all memory.
  const long = () => {
    let left = 8 * MAX_MESSAGE
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        await setImmediate()
        if (left > 0) controller.enqueue(Buffer.alloc(256 * 1024, 1))
        else controller.close()
        left -= 256 * 1024
      },
    })
  }
  const send = async () => {
    const headers = { 'content-type': 'application/x-protobuf' }
    const init = { method: 'POST', body: long(), headers, duplex: 'half' } as RequestInit
    // The server may end the connection while the client still sends.
    return await fetch(`${server.otlpHttpUrl}/v1/traces`, init).catch(() => ({ status: 0 }))
  }
  for (const status of await statuses(8, send)) expect([0, 413]).toContain(status)
})

test('more than may be in flight: some are asked to come again', async () => {
  const inFlightBytes = async () => (await readIngestMetrics(server.url)).inFlightBytes
  await waitUntil('nothing is in flight', async () => (await inFlightBytes()) === 0)
  const sockets = Array.from({ length: 40 }, () => open(7 * MIB))
  await waitUntil('some are refused', () => sockets.filter(({ answer }) => answer() !== '').length >= 31)
  for (const { answer } of sockets) {
    if (answer() === '') continue
    expect(answer()).toMatch(/^HTTP\/1\.1 503 /)
    expect(answer().toLowerCase()).toContain('\r\nretry-after: ')
  }
  // Nine of them hold their room; beside them a small message fits all the time, so that one says nothing.
  expect(await inFlightBytes()).toBe(9 * 7 * MIB)
  for (const { close } of sockets) close()
  await waitUntil('their room is free again', async () => (await inFlightBytes()) === 0)
})

test('JSON of tiny objects, which are many times their size in memory', async () => {
  const fill = (unit: string, before: string, after: string) =>
    Buffer.from(before + unit.repeat(Math.floor((MAX_MESSAGE - 100) / unit.length)) + after)
  const send = (body: Buffer) => statuses(4, () => post(body, 'identity', 'application/json'))
  expect(await send(fill('{},', '{"resourceSpans":[', '{}]}'))).toEqual([400])
  expect(await send(fill('[],', '{"resourceSpans":[{"unknown":[', '[]]}]}'))).toEqual([400])
  expect(await send(fill('{"spans":[{}]},', '{"resourceSpans":[{"scopeSpans":[', '{}]}]}'))).toEqual([400])
  // Attributes as small as they can mean something are no attack.
  const attribute = '{"key":"a","value":{"intValue":1}},'
  const attributes = fill(attribute, '{"resourceSpans":[{"resource":{"attributes":[', '{}]}}]}')
  expect(await send(attributes)).toEqual([200])
})

test('log records of a few bytes, as many as fit into a message', async () => {
  const record = Buffer.alloc(11)
  record.set([0x12, 9, 0x09])
  record.writeBigUInt64LE(BigInt(systemClock.now()) * 1_000_000n, 3)
  const records = Buffer.concat(Array.from({ length: Math.floor((MAX_MESSAGE - 100) / 11) }, () => record))
  // resource_logs 1, scope_logs 2, and in it the records, each field 2.
  const message = bytesField(1, bytesField(2, records))
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => postRaw(server.otlpHttpUrl, 'logs', message)),
  )
  for (const { status } of answers) expect([200, 503]).toContain(status)
  expect(answers.some(({ status }) => status === 200)).toBe(true)
})

test('the control: memory that grows is seen', () => {
  const before = residentMemory(process.pid).highest
  const kept = Buffer.alloc(MAX_GROWTH, 1)
  expect(residentMemory(process.pid).highest - before).toBeGreaterThan(MAX_GROWTH / 2)
  expect(kept[5]).toBe(1)
})

function bytesField(field: number, value: Buffer): Buffer {
  const head: number[] = [(field << 3) | 2]
  let { length } = value
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([...head, length]), value])
}

/** A request of which all but the last byte is sent. */
function open(length: number) {
  let answer = ''
  const socket = connect(Number(new URL(server.otlpHttpUrl).port), '127.0.0.1')
  socket
    .on('error', () => undefined)
    .on('data', (data) => {
      answer += data.toString('latin1')
    })
  socket.write(
    `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${length}\r\n\r\n`,
  )
  socket.write(Buffer.alloc(length - 1))
  return { answer: () => answer, close: () => socket.destroy() }
}

/** What the receiver answers to bytes. */
async function talk(request: string): Promise<string> {
  let answer = ''
  const socket = connect(Number(new URL(server.otlpHttpUrl).port), '127.0.0.1')
  socket
    .on('error', () => undefined)
    .on('data', (data) => {
      answer += data.toString('latin1')
    })
  socket.write(request)
  await waitUntil('an answer', () => answer.includes('\r\n\r\n'))
  socket.destroy()
  return answer
}
