import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { isLoaded } from './support/ingest-metrics.ts'
import { messageCorpus } from './support/message-corpus.ts'
import { mutateMessage } from './support/mutate-message.ts'
import { openTestStorage } from './support/open-test-storage.ts'
import { connectRawGrpc, postRaw, type RawGrpcClient } from './support/otlp-client.ts'
import { residentMemory } from './support/resident-memory.ts'
import { seededRandom } from './support/seeded-random.ts'
import { compareLedger, readStored, type SpanLedger } from './support/span-ledger.ts'
import { createSpanMessage } from './support/span-message.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'
import { testSeed } from './support/test-seed.ts'
import { waitUntil } from './support/wait-until.ts'

const MESSAGES = 4000
const SENDERS = 8
const MIB = 2 ** 20
const GRPC = { OK: 0, INVALID_ARGUMENT: 3 }

let server: MeshwatchServer
let grpc: RawGrpcClient
const seed = testSeed('fuzz-receivers')
const random = seededRandom(seed)
const ledger: SpanLedger = new Map()

beforeAll(async () => {
  server = await startMeshwatch()
  grpc = connectRawGrpc(server.otlpGrpcAddress)
})

afterAll(async () => {
  grpc?.close()
  if (server?.child.exitCode === null) await server.stop()
})

/** Sends a good message by one of the three ways, and enters it. */
async function sendNeighbour(): Promise<void> {
  const message = createSpanMessage(3, 'neighbour')
  const serial = ledger.size + 1
  ledger.set(serial, { spans: 3, phase: 'fuzz', fate: 'acknowledged' })
  message.renew(serial, systemClock.now())
  if (serial % 2 === 0) expect(await grpc.export('traces', message.bytes)).toEqual({ code: 0, message: '' })
  else expect(await postRaw(server.otlpHttpUrl, 'traces', message.bytes)).toEqual({ status: 200, body: '' })
}

test(`${MESSAGES} spoilt messages over HTTP and gRPC`, { timeout: 120_000 }, async () => {
  const half = 1_800_000
  const corpus = messageCorpus(60, seed, { baseNanos: BigInt(systemClock.now() - half) * 1_000_000n })
  const answers = new Map<string, number>()
  let left = MESSAGES
  let memoryBefore = 0

  const sendOne = async (): Promise<string> => {
    const { signal, ...forms } = random.pick(corpus)
    const form = random.pick(['protobuf', 'protobuf', 'json'] as const)
    const { bytes, how } = mutateMessage(forms[form], form, random)
    if (form === 'protobuf' && random.below(2) === 0) {
      const { code, message } = await grpc.export(signal, bytes, random.below(4) === 0)
      if (code !== GRPC.OK && code !== GRPC.INVALID_ARGUMENT) throw new Error(`${how}: ${code} ${message}`)
      return `gRPC ${code}`
    }
    const headers: Record<string, string> = {
      'content-type': form === 'json' ? 'application/json' : 'application/x-protobuf',
    }
    let body = bytes
    if (random.below(4) === 0) {
      headers['content-encoding'] = 'gzip'
      body =
        random.below(2) === 0 ? gzipSync(bytes) : mutateMessage(gzipSync(bytes), 'protobuf', random).bytes
    }
    const answer = await postRaw(server.otlpHttpUrl, signal, body, headers)
    if (answer.status !== 200 && answer.status !== 400)
      throw new Error(`${how}: ${answer.status} ${answer.body}`)
    return `HTTP ${answer.status}`
  }

  const sender = async (): Promise<void> => {
    while (left > 0) {
      left--
      const answer = await sendOne()
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
      if (left % 10 === 0) await sendNeighbour()
      if (left === MESSAGES / 2) memoryBefore = residentMemory(server.child.pid).now
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sender))
  const growth = residentMemory(server.child.pid).now - memoryBefore
  console.info(
    `fuzz-receivers: ${JSON.stringify(Object.fromEntries(answers))}, ${Math.round(growth / MIB)} MiB more`,
  )
  expect(growth).toBeLessThan(200 * MIB)
  expect([...answers.keys()].sort()).toEqual(['HTTP 200', 'HTTP 400', 'gRPC 0', 'gRPC 3'])
  for (const count of answers.values()) expect(count).toBeGreaterThan(MESSAGES / 100)
})

test('bytes that are no HTTP at all', async () => {
  const ports = [server.otlpHttpUrl, `http://${server.otlpGrpcAddress}`].map((url) =>
    Number(new URL(url).port),
  )
  const talk = (port: number) =>
    new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('close', () => resolve()).on('error', () => undefined)
      const preface = random.pick(['', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'POST /v1/traces HTTP/1.1\r\n'])
      const noise = Array.from({ length: random.below(200) }, () => random.below(256))
      socket.write(Buffer.concat([Buffer.from(preface), Buffer.from(noise)]))
      socket.resume().end()
      setTimeout(() => socket.destroy(), 100)
    })
  for (let round = 0; round < 50; round++) await Promise.all(ports.map(talk))
  await sendNeighbour()
  await sendNeighbour()
})

test('good neighbours are all there, once, and the server ends well', async () => {
  await waitUntil('everything is loaded', () => isLoaded(server.url))
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  grpc.close()
  server.child.kill('SIGTERM')
  expect(await server.exit).toBe(0)
  expect(server.stderr()).toBe('')
  const bad = server.lines.filter((line) => line['level'] === 'error' || line['level'] === 'fatal')
  expect(bad).toEqual([])
  const storage = await openTestStorage({ dataDir: server.dataDir })
  try {
    const stored = await readStored(storage, 'neighbour')
    expect(ledger.size).toBeGreaterThan(MESSAGES / 20)
    expect(compareLedger(ledger, stored)).toEqual([])
    // The control: one that is missing is missed.
    expect(compareLedger(ledger, stored.slice(1))).toHaveLength(1)
  } finally {
    await storage.close()
    await server.stop()
  }
})
