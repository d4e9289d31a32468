import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Signal } from '../ingest/export-sink.ts'
import { transcodeJson } from '../ingest/json/transcode-json.ts'
import { createTelemetryBlocks, type TelemetryBlocks } from '../ingest/otlp/telemetry-blocks.ts'
import { AppError } from '../runtime/errors.ts'
import { decodeInto, readBlocks } from './support/decode-message.ts'
import { encodeRequest, exportRequests } from './support/otlp-messages.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs']
const MUTANTS = 100_000
/** Mutants between two readings of memory; as many messages may share a batch. */
const BATCH = 1000

interface Seed {
  readonly signal: Signal
  readonly isJson: boolean
  readonly bytes: Buffer
}

/** xorshift32: the same mutants in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function seeds(): Seed[] {
  return SIGNALS.flatMap((signal) =>
    fc.sample(exportRequests(signal), { seed: 7, numRuns: 40 }).flatMap((request, index) => {
      const bytes = Buffer.from(encodeRequest(signal, request))
      const protobuf = { signal, isJson: false, bytes }
      return index % 8 === 0
        ? [protobuf, { signal, isJson: true, bytes: Buffer.from(JSON.stringify(request)) }]
        : [protobuf]
    }),
  ).filter(({ bytes }) => bytes.length > 20)
}

/** Deep nesting: a value inside a value inside a value …, as an attribute of a resource. */
function nested(depth: number): Buffer {
  let value: Buffer = Buffer.from([0x0a, 0x01, 0x61])
  for (let level = 0; level < depth; level++) value = field(5, field(1, value))
  const attribute = Buffer.concat([field(1, Buffer.from('deep')), field(2, value)])
  return field(1, Buffer.concat([field(1, field(1, attribute)), field(2, field(2, Buffer.alloc(0)))]))
}

function field(number: number, content: Buffer): Buffer {
  const head: number[] = [(number << 3) | 2]
  let size = content.length
  for (; size > 0x7f; size >>>= 7) head.push((size & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([...head, size]), content])
}

function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  const mutant = Buffer.from(bytes)
  const at = random(mutant.length)
  switch (random(6)) {
    case 0:
      for (let flips = 1 + random(4); flips > 0; flips--) {
        const where = random(mutant.length)
        mutant[where] = (mutant[where] ?? 0) ^ (1 << random(8))
      }
      return mutant
    case 1:
      return mutant.subarray(0, at)
    case 2:
      // A length or a tag that says too much.
      mutant.subarray(at, at + 1 + random(10)).fill(0xff)
      return mutant
    case 3:
      mutant[at] = random(256)
      return mutant
    case 4:
      return Buffer.concat([mutant.subarray(0, at), mutant.subarray(random(mutant.length))])
    default:
      return random(500) === 0 ? nested(random(3000)) : Buffer.concat([mutant, mutant.subarray(at)])
  }
}

/** How many items were accepted; null when the message was refused. Anything but a refusal as malformed fails the test. */
function decode(blocks: TelemetryBlocks, { signal, isJson, bytes }: Seed): number | null {
  try {
    const message = isJson ? transcodeJson(signal, bytes) : bytes
    return decodeInto(blocks, signal, message, { now: NOW }).accepted
  } catch (error) {
    if (error instanceof AppError && error.code === 'MALFORMED_MESSAGE') return null
    throw error
  }
}

test(`${MUTANTS} mutated messages: no crash, no hang, memory flat, good neighbours kept`, {
  timeout: 600_000,
}, () => {
  const originals = seeds()
  const blocks = createTelemetryBlocks({ maxAttributes: 128 })
  const expected = originals.map((original) => decode(blocks, original))
  const random = createRandom(20260102)
  const memory: number[] = []
  let taken = 0
  for (let count = 1; count <= MUTANTS; count++) {
    const original = originals[random(originals.length)] as Seed
    const started = performance.now()
    if (decode(blocks, { ...original, bytes: mutate(original.bytes, random) }) !== null) taken++
    if (performance.now() - started > 2000) throw new Error(`mutant ${count} took too long`)
    if (count % BATCH !== 0) continue
    expect(originals.map((neighbour) => decode(blocks, neighbour))).toEqual(expected)
    if (count % (10 * BATCH) === 0) readBlocks(blocks)
    blocks.reset(true)
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    memory.push((heapUsed + arrayBuffers) / 2 ** 20)
  }
  // Both outcomes occur often; otherwise the mutations are too weak or too strong.
  expect(taken).toBeGreaterThan(MUTANTS / 20)
  expect(MUTANTS - taken).toBeGreaterThan(MUTANTS / 20)
  const half = memory.length / 2
  const low = (values: readonly number[]): number => Math.min(...values)
  expect(low(memory.slice(half)) - low(memory.slice(0, half))).toBeLessThan(48)
})
