import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createExportSink } from '../ingest/create-export-sink.ts'
import { createRefusals } from '../ingest/create-refusals.ts'
import type { Signal } from '../ingest/export-sink.ts'
import { transcodeJson } from '../ingest/json/transcode-json.ts'
import { createBlock } from '../ingest/native/block.ts'
import { OffsetsColumn } from '../ingest/native/offsets-column.ts'
import { createTelemetryBlocks, type TelemetryBlocks } from '../ingest/otlp/telemetry-blocks.ts'
import { systemClock } from '../runtime/clock.ts'
import { AppError } from '../runtime/errors.ts'
import { type CorpusMessage, messageCorpus } from './support/message-corpus.ts'
import { mutateMessage } from './support/mutate-message.ts'
import { type OpenQueryDeps, openQueryDeps } from './support/open-query-deps.ts'
import { encodeRequest } from './support/otlp-messages.ts'
import { type SeededRandom, seededRandom } from './support/seeded-random.ts'
import { createSpanMessage } from './support/span-message.ts'
import { testSeed } from './support/test-seed.ts'

const MESSAGES = 96_000
/** Messages between two writes of the blocks. */
const BATCH = 50
/** Every so many batches one goes into the engine. */
const ENGINE_EVERY = 20
const NEIGHBOUR_SPANS = 4
/** Of this thread's own time: what others take from the machine is no fault of a message. */
const SLOWEST_MS = 2000
const NOW_MS = 1_767_322_800_000 + 3_600_000
const MAX_GROWTH_BYTES = 48 * 2 ** 20

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function memoryBytes(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

type Blocks = Map<string, { pieces: Buffer[]; rows: number }>

/** What became of a message. `accepted`: at least a part of it. */
interface Taken {
  readonly fate: 'malformed' | 'rejected' | 'accepted'
  readonly rejected: number
}

/** The real sink on blocks of its own; what it commits is written by the test. */
function openSink() {
  const telemetry = createTelemetryBlocks({ maxAttributes: 1024 })
  let isCommitted = false
  const commit = async () => {
    isCommitted = true
  }
  const maxAge = 7 * 86_400_000
  const sink = createExportSink({
    blocks: telemetry,
    commit: { commit, pendingBytes: () => 0, close: async () => undefined },
    clock: { now: () => NOW_MS, monotonic: systemClock.monotonic },
    registry: new Registry(),
    refusals: createRefusals(new Registry()),
    maxAgeMs: { traces: maxAge, metrics: maxAge, logs: maxAge },
    maxFutureMs: 600_000,
    journalBytes: () => 0,
    maxJournalBytes: 1,
  })
  /** Throws what is no refusal. */
  const take = async (signal: Signal, bytes: Uint8Array, form = 'protobuf'): Promise<Taken> => {
    isCommitted = false
    try {
      const message = form === 'json' ? transcodeJson(signal, bytes) : bytes
      const { rejected } = await sink.accept(signal, 'default', message)
      return { fate: isCommitted ? 'accepted' : 'rejected', rejected }
    } catch (error) {
      if (error instanceof AppError && error.code === 'MALFORMED_MESSAGE')
        return { fate: 'malformed', rejected: 0 }
      throw error
    }
  }
  return { telemetry, take }
}

/** Writes every block, which fails when its columns differ in length, and empties them. */
function writeBatch(telemetry: TelemetryBlocks, into: Blocks | null): void {
  for (const block of telemetry.blocks) {
    const target = Buffer.allocUnsafe(block.byteLength())
    const end = block.writeTo(target, 0)
    if (into === null || block.rows() === 0) continue
    const table = into.get(block.table) ?? { pieces: [], rows: 0 }
    into.set(block.table, table)
    table.pieces.push(target.subarray(0, end))
    table.rows += block.rows()
  }
  telemetry.reset(true)
}

let deps: OpenQueryDeps
beforeAll(async () => {
  deps = await openQueryDeps()
})
afterAll(() => deps?.close())

async function insert(telemetry: TelemetryBlocks, blocks: Blocks): Promise<void> {
  for (const { table, structure } of telemetry.blocks) {
    const { pieces, rows } = blocks.get(table) ?? { pieces: [], rows: 0 }
    if (rows === 0) continue
    const deduplicationToken = `fuzz-${table}`
    await deps.storage.insertNative({ table, columns: structure, blocks: pieces, rows, deduplicationToken })
  }
}

test(`${MESSAGES} spoilt messages: refused or taken, never anything else`, { timeout: 200_000 }, async () => {
  const seed = testSeed('fuzz-otlp')
  const random = seededRandom(seed)
  const corpus = messageCorpus(120, seed)
  const { telemetry, take } = openSink()
  const neighbour = createSpanMessage(NEIGHBOUR_SPANS, 'neighbour')
  const kept: Blocks = new Map()
  const neighbours = { all: 0, kept: 0 }
  const fates = { malformed: 0, rejected: 0, accepted: 0, partial: 0 }
  let slowest = { ms: 0, how: '' }
  let firstBytes = 0
  for (let number = 1; number <= MESSAGES; number++) {
    const { taken, how, ms } = await takeSpoilt(take, random.pick(corpus), random)
    fates[taken.fate]++
    if (taken.fate === 'accepted' && taken.rejected > 0) fates.partial++
    if (ms > slowest.ms) slowest = { ms, how }
    if (number % 5 === 0) {
      neighbour.renew(++neighbours.all, NOW_MS)
      const taken = await take('traces', neighbour.bytes)
      if (taken.fate !== 'accepted' || taken.rejected > 0)
        throw new Error(`neighbour ${neighbours.all} is ${taken.fate}`)
    }
    if (number % BATCH === 0) {
      const isKept = (number / BATCH) % ENGINE_EVERY === 0
      if (isKept) neighbours.kept += BATCH / 5
      writeBatch(telemetry, isKept ? kept : null)
    }
    if (number === MESSAGES * 0.4) firstBytes = memoryBytes() - keptBytes(kept)
  }
  const growth = memoryBytes() - keptBytes(kept) - firstBytes
  console.info(`fuzz-otlp: ${JSON.stringify({ ...fates, slowest, growthMiB: Math.round(growth / 2 ** 20) })}`)
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
  expect(slowest.ms).toBeLessThan(SLOWEST_MS)
  // Every way through was gone many times.
  for (const count of Object.values(fates)) expect(count).toBeGreaterThan(MESSAGES / 100)

  await insert(telemetry, kept)
  const count = async (sql: string) =>
    Number((await deps.storage.select<{ n: string }>({ name: 'test.count', tenant: 'default', sql }))[0]?.n)
  const of = 'WHERE tenant = {tenant:String}'
  for (const table of ['spans', 'logs', 'otlp_points'])
    expect(await count(`SELECT count() AS n FROM ${table} ${of}`)).toBe(kept.get(table)?.rows)
  const [good] = await deps.storage.select({
    name: 'test.neighbours',
    tenant: 'default',
    sql: `SELECT count() AS spans, uniqExact(span_id) AS ids, uniqExact(reverse(substring(span_id, 5)), attrs, duration_ns, status_code) AS kinds
      FROM spans ${of} AND service = 'neighbour' AND span_id != ''`,
  })
  const spans = neighbours.kept * NEIGHBOUR_SPANS
  expect(good).toEqual({ spans: String(spans), ids: String(spans), kinds: String(NEIGHBOUR_SPANS) })
})

type Take = ReturnType<typeof openSink>['take']

async function takeSpoilt(take: Take, message: CorpusMessage, random: SeededRandom) {
  const form = random.below(3) === 0 ? 'json' : 'protobuf'
  const { bytes, how } = mutateMessage(message[form], form, random)
  const started = process.threadCpuUsage()
  try {
    const taken = await take(message.signal, bytes, form)
    return { taken, how, ms: cpuMs(process.threadCpuUsage(started)) }
  } catch (error) {
    throw new Error(`${form} ${message.signal}, ${how}: ${bytes.toString('base64').slice(0, 2000)}`, {
      cause: error,
    })
  }
}

function cpuMs({ user, system }: { readonly user: number; readonly system: number }): number {
  return (user + system) / 1000
}

function keptBytes(kept: Blocks): number {
  let sum = 0
  for (const { pieces } of kept.values()) for (const { buffer } of pieces) sum += buffer.byteLength
  return sum
}

describe('memory stays flat whatever is made up by a sender who', () => {
  const text = (number: number, length: number) => `${number}-`.padEnd(length, 'abcdefgh')
  const request = (number: number, nameBytes: number, resourceBytes: number, nanos: bigint) =>
    Buffer.from(
      encodeRequest('traces', {
        resourceSpans: [
          {
            resource: {
              attributes: [{ key: 'made-up', value: { stringValue: text(number, resourceBytes) } }],
            },
            scopeSpans: [
              {
                spans: [
                  {
                    traceId: '0102030405060708090a0b0c0d0e0f10',
                    spanId: '0102030405060708',
                    name: text(number, nameBytes),
                    startTimeUnixNano: String(nanos),
                    attributes: [{ key: text(number, nameBytes), value: { boolValue: true } }],
                  },
                ],
              },
            ],
          },
        ],
      }),
    )
  const now = BigInt(NOW_MS) * 1_000_000n

  test.each([
    [
      'sends malformed messages only',
      'malformed',
      (number: number) => {
        // Everything is read before the end turns out to be wrong.
        return Buffer.concat([request(number, 20_000, 100, now), Buffer.of(0)])
      },
    ],
    [
      'sends messages only that are too old',
      'rejected',
      (number: number) => request(number, 100, 30_000, 1_000_000n),
    ],
    ['makes up resources without end', 'accepted', (number: number) => request(number, 10, 50_000, now)],
    ['makes up names and keys without end', 'accepted', (number: number) => request(number, 20_000, 10, now)],
  ] as const)('%s', async (who, fate, make) => {
    const { telemetry, take } = openSink()
    const before = memoryBytes()
    for (let number = 0; number < 6000; number++) {
      const taken = await take('traces', make(number))
      if (taken.fate !== fate) throw new Error(`message ${number} is ${taken.fate}`)
      if (fate === 'accepted' && number % 10 === 9) writeBatch(telemetry, null)
    }
    const growth = memoryBytes() - before
    console.info(`fuzz-otlp: ${who}: ${Math.round(growth / 2 ** 20)} MiB`)
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
    expect(telemetry.rows()).toBeLessThan(10)
  })
})

describe('the checks can fail:', () => {
  test('memory that is kept is seen', () => {
    const before = memoryBytes()
    const kept = Array.from({ length: 10 }, () => Buffer.alloc(MAX_GROWTH_BYTES / 8, 1))
    expect(memoryBytes() - before).toBeGreaterThan(MAX_GROWTH_BYTES)
    expect(kept).toHaveLength(10)
  })

  test('a block whose columns differ in length is not written', () => {
    const rows = new OffsetsColumn()
    rows.push(1)
    const block = createBlock('spans', { first: rows, second: new OffsetsColumn() })
    expect(() => block.writeTo(Buffer.alloc(100), 0)).toThrow(/has 0 rows, not 1/)
  })
})
