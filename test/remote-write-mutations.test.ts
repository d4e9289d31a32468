import { compressSync } from 'snappy'
import { expect, test } from 'vitest'
import { createTelemetryBlocks, type TelemetryBlocks } from '../ingest/otlp/telemetry-blocks.ts'
import { createUnsnappy } from '../ingest/prometheus/unsnappy.ts'
import { AppError } from '../runtime/errors.ts'
import { readBlocks } from './support/decode-message.ts'
import { decodeWriteInto } from './support/decode-write.ts'
import {
  encodeWriteRequest,
  type SentSample,
  type SentSeries,
  type WriteVersion,
} from './support/encode-write-request.ts'
import { mutateMessage } from './support/mutate-message.ts'
import { type SeededRandom, seededRandom } from './support/seeded-random.ts'
import { testSeed } from './support/test-seed.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const MUTANTS = 40_000
/** Mutants that share a batch; memory is read between two. */
const BATCH = 400
const SLOWEST_MS = 2000
const MAX_GROWTH_MIB = 48
const VERSIONS: readonly WriteVersion[] = [1, 2]

interface Original {
  readonly version: WriteVersion
  readonly bytes: Buffer
}

function originals(random: SeededRandom): Original[] {
  return Array.from({ length: 40 }, () => {
    const series = Array.from({ length: 1 + random.below(6) }, (_, index) => someSeries(index, random))
    return VERSIONS.map((version) => ({ version, bytes: Buffer.from(encodeWriteRequest(series, version)) }))
  }).flat()
}

function someSeries(index: number, random: SeededRandom): SentSeries {
  const samples = Array.from({ length: random.below(5) }, () => someSample(random))
  return {
    labels: ['__name__', `metric_${index}`, 'instance', '10.0.0.1:9090', 'zone', random.pick(['ü', 'a', ''])],
    samples,
    exemplars:
      random.below(2) === 0 ? [] : [{ labels: ['trace_id', 'ab'.repeat(16)], value: 1, timestampMs: NOW }],
    ...(random.below(2) === 0 ? {} : { metadata: { type: 'counter', help: 'Help', unit: 's' } as const }),
  }
}

function someSample(random: SeededRandom): SentSample {
  const timestampMs = NOW - random.below(100_000)
  if (random.below(2) === 0) return { timestampMs, value: random.next() * 1e6, startMs: NOW - 200_000 }
  const isCustom = random.below(2) === 0
  const positiveBuckets = [random.below(300), random.below(3), random.below(70_000)]
  return {
    timestampMs,
    isInteger: random.below(2) === 0,
    histogram: {
      schema: isCustom ? -53 : random.below(13) - 4,
      zeroThreshold: 0,
      zeroCount: 0,
      count: positiveBuckets.reduce((sum, count) => sum + count, 0),
      sum: random.next(),
      positiveSpans: [
        { offset: isCustom ? 0 : -random.below(100), length: 1 },
        { offset: 2, length: 2 },
      ],
      positiveBuckets,
      negativeSpans: [],
      negativeBuckets: [],
      customValues: isCustom ? [1, 2, 3, 4, 5] : [],
      counterResetHint: 'unknown',
    },
  }
}

/** How many samples were taken; null when the message is malformed. */
function decode(blocks: TelemetryBlocks, { version, bytes }: Original): number | null {
  try {
    return decodeWriteInto(blocks, bytes, { version, now: NOW }).accepted
  } catch (error) {
    if (error instanceof AppError && error.code === 'MALFORMED_MESSAGE') return null
    throw error
  }
}

test(`${MUTANTS} spoilt messages of remote write: no crash, no hang, memory flat, good neighbours kept`, {
  timeout: 300_000,
}, () => {
  const random = seededRandom(testSeed('remote-write-mutations'))
  const corpus = originals(random)
  const blocks = createTelemetryBlocks({ maxAttributes: 128 })
  const expected = corpus.map((original) => decode(blocks, original))
  const memory: number[] = []
  let taken = 0
  for (let count = 1; count <= MUTANTS; count++) {
    const original = random.pick(corpus)
    const { bytes, how } = mutateMessage(original.bytes, 'protobuf', random)
    const started = performance.now()
    if (decode(blocks, { ...original, bytes }) !== null) taken++
    if (performance.now() - started > SLOWEST_MS) throw new Error(`mutant ${count} (${how}) took too long`)
    if (count % BATCH !== 0) continue
    expect(corpus.map((neighbour) => decode(blocks, neighbour))).toEqual(expected)
    // Reading the blocks proves that their columns are equally long and well formed.
    if (count % (10 * BATCH) === 0) readBlocks(blocks)
    blocks.reset(true)
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    memory.push((heapUsed + arrayBuffers) / 2 ** 20)
  }
  // Both outcomes occur often; otherwise the mutations are too weak or too strong.
  expect(taken).toBeGreaterThan(MUTANTS / 20)
  expect(MUTANTS - taken).toBeGreaterThan(MUTANTS / 20)
  const half = memory.length / 2
  expect(Math.min(...memory.slice(half)) - Math.min(...memory.slice(0, half))).toBeLessThan(MAX_GROWTH_MIB)
})

test('spoilt Snappy blocks: refused, or of the length they declare', () => {
  const random = seededRandom(testSeed('remote-write-snappy'))
  const unsnappy = createUnsnappy()
  const bodies = originals(random).map(({ bytes }) => compressSync(Buffer.concat([bytes, bytes])))
  let refused = 0
  for (let count = 0; count < 20_000; count++) {
    try {
      unsnappy(mutateMessage(random.pick(bodies), 'protobuf', random).bytes, 1 << 20)
    } catch (error) {
      expect(error).toBeInstanceOf(AppError)
      refused++
    }
  }
  expect(refused).toBeGreaterThan(1000)
})
