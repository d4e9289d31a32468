import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_HISTOGRAM, type FloatHistogram, type HistogramSpan } from '../../model/float-histogram.ts'
import { decodeWriteRows } from '../../test/support/decode-write.ts'
import type { WriteVersion } from '../../test/support/encode-write-request.ts'
import type { NativeRow } from '../../test/support/read-native.ts'
import { createTelemetryBlocks } from '../otlp/telemetry-blocks.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const WIRES: readonly { version: WriteVersion; isInteger: boolean }[] = [
  { version: 1, isInteger: true },
  { version: 1, isInteger: false },
  { version: 2, isInteger: true },
  { version: 2, isInteger: false },
]
const blocks = createTelemetryBlocks({ maxAttributes: 8 })

interface Side {
  readonly spans: readonly (readonly [offset: number, length: number])[]
  readonly counts: readonly number[]
}
const NOTHING: Side = { spans: [], counts: [] }

function histogramOf(schema: number, positive: Side, negative: Side): FloatHistogram {
  const spans = (side: Side): HistogramSpan[] => side.spans.map(([offset, length]) => ({ offset, length }))
  const sum = (side: Side) => side.counts.reduce((total, count) => total + count, 0)
  return {
    ...EMPTY_HISTOGRAM,
    schema,
    zeroThreshold: 1e-3,
    zeroCount: 2,
    sum: 17.5,
    count: 2 + sum(positive) + sum(negative),
    positiveSpans: spans(positive),
    positiveBuckets: positive.counts,
    negativeSpans: spans(negative),
    negativeBuckets: negative.counts,
  }
}

function decode(histogram: FloatHistogram, { version, isInteger }: (typeof WIRES)[number]) {
  const sample = { timestampMs: NOW, histogram, isInteger }
  return decodeWriteRows([{ labels: ['__name__', 'm'], samples: [sample] }], { version, now: NOW }, blocks)
}

function sideOf(row: NativeRow | undefined, sign: 'positive' | 'negative'): Side {
  const numbers = (name: string) => (row?.[`${sign}_${name}`] ?? []) as readonly number[]
  const lengths = numbers('lengths')
  const counts = ((row?.[`${sign}_counts`] ?? []) as readonly string[]).map((bits) =>
    Buffer.from(bits, 'hex').readDoubleLE(),
  )
  return { spans: numbers('offsets').map((offset, at) => [offset, lengths[at] ?? 0]), counts }
}

describe.each(WIRES)('schemas above 8 become 8: %o', (wire) => {
  test.each<[number, Side, Side]>([
    // Buckets -3, -2, -1; 1, 2; 7 go to -1, -1, 0; 1, 1; 4.
    [
      9,
      {
        spans: [
          [-3, 3],
          [1, 2],
          [4, 1],
        ],
        counts: [1, 2, 3, 4, 5, 6],
      },
      {
        spans: [
          [-1, 3],
          [2, 1],
        ],
        counts: [3, 3, 9, 6],
      },
    ],
    // Buckets 1 … 8 go to 1, 9 … 16 to 2. Spans without a gap or without a length make no difference; empty buckets stay.
    [
      11,
      {
        spans: [
          [7, 2],
          [0, 2],
          [3, 0],
          [2, 1],
          [20, 1],
        ],
        counts: [1, 0, 2, 1, 7, 0],
      },
      {
        spans: [
          [1, 2],
          [2, 1],
        ],
        counts: [1, 10, 0],
      },
    ],
    // 44 schemas coarser: all that is greater than 1 is in bucket 1, the rest in bucket 0.
    [
      52,
      {
        spans: [
          [-2_147_483_648, 1],
          [2_147_483_640, 2],
          [6, 1],
          [2_147_483_640, 1],
        ],
        counts: [1, 2, 3, 4, 5],
      },
      { spans: [[0, 2]], counts: [6, 9] },
    ],
    [10, NOTHING, NOTHING],
  ])('of %s', (schema, sent, stored) => {
    for (const [positive, negative] of [
      [sent, NOTHING],
      [NOTHING, sent],
      [sent, sent],
    ] as const) {
      const histogram = histogramOf(schema, positive, negative)
      const { outcome, tables } = decode(histogram, wire)
      expect(outcome).toMatchObject({ accepted: 1, histograms: 1, rejected: 0 })
      const row = tables['prom_histograms']?.[0]
      expect(row?.['schema']).toBe(8)
      expect(sideOf(row, 'positive')).toEqual(positive === NOTHING ? NOTHING : stored)
      expect(sideOf(row, 'negative')).toEqual(negative === NOTHING ? NOTHING : stored)
      const { sum, count, zeroCount, zeroThreshold } = histogram
      const bits = (value: number) => Buffer.from(Float64Array.of(value).buffer).toString('hex')
      expect(row).toMatchObject({
        sum: bits(sum),
        count: bits(count),
        zero_count: bits(zeroCount),
        zero_threshold: bits(zeroThreshold),
      })
    }
  })

  test('the next histogram is not touched by it', () => {
    const fine = histogramOf(9, { spans: [[1, 2]], counts: [1, 2] }, NOTHING)
    const coarse = histogramOf(8, { spans: [[1, 2]], counts: [1, 2] }, { spans: [[1, 1]], counts: [3] })
    decode(fine, wire)
    const row = decode(coarse, wire).tables['prom_histograms']?.[0]
    expect(sideOf(row, 'positive')).toEqual({ spans: [[1, 2]], counts: [1, 2] })
    expect(sideOf(row, 'negative')).toEqual({ spans: [[1, 1]], counts: [3] })
  })

  test('counts are looked at once they are merged, spans before', () => {
    const merged = histogramOf(9, { spans: [[1, 2]], counts: [5, -1] }, NOTHING)
    expect(sideOf(decode(merged, wire).tables['prom_histograms']?.[0], 'positive').counts).toEqual([4])
    const negative = histogramOf(9, { spans: [[2, 2]], counts: [5, -1] }, NOTHING)
    const refused = decode(negative, wire).outcome
    expect(refused).toMatchObject({ accepted: 0, rejected: 1 })
    expect(refused.message('samples')).toContain('has a negative count of a bucket')
    const few = decode(histogramOf(9, { spans: [[1, 3]], counts: [5, 1] }, NOTHING), wire).outcome
    expect(few.message('samples')).toContain('has 2 positive buckets, and spans for 3')
    const overlap = { spans: [[1, 1] as const, [-1, 1] as const], counts: [5, 1] }
    const overlapping = decode(histogramOf(30, NOTHING, overlap), wire).outcome
    expect(overlapping.message('samples')).toContain('has negative spans that overlap')
  })

  test('each bucket that is left is the sum of those within its bounds', () => {
    const span = fc.record({
      gap: fc.integer({ min: 0, max: 40 }),
      counts: fc.array(fc.nat(9), { maxLength: 9 }),
    })
    const side = fc.record({
      first: fc.integer({ min: -300, max: 300 }),
      spans: fc.array(span, { maxLength: 6 }),
    })
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 52 }), side, side, (schema, ...sides) => {
        const sent = sides.map(({ first, spans }) => ({
          spans: spans.map(({ gap, counts }, at) => [at === 0 ? first : gap, counts.length] as const),
          counts: spans.flatMap(({ counts }) => counts),
        }))
        const { outcome, tables } = decode(histogramOf(schema, sent[0] ?? NOTHING, sent[1] ?? NOTHING), wire)
        expect(outcome.accepted).toBe(1)
        for (const [at, sign] of (['positive', 'negative'] as const).entries()) {
          // The upper bound of bucket i is 2^(i / 2^schema): it lies in the bucket of schema 8 whose bound is the next above.
          const expected = new Map<number, number>()
          for (const [index, count] of bucketsOf(sent[at] ?? NOTHING)) {
            const coarser = Math.ceil(index / 2 ** (schema - 8)) + 0
            expected.set(coarser, (expected.get(coarser) ?? 0) + count)
          }
          const stored = sideOf(tables['prom_histograms']?.[0], sign)
          expect(bucketsOf(stored)).toEqual([...expected])
          expect(stored.spans.every(([offset, length], n) => length > 0 && (n === 0 || offset > 0))).toBe(
            true,
          )
        }
      }),
      { numRuns: 150 },
    )
  })
})

function bucketsOf({ spans, counts }: Side): [index: number, count: number][] {
  let next = 0
  const indexes = spans.flatMap(([offset, length]) => {
    next += offset + length
    return Array.from({ length }, (_, at) => next - length + at)
  })
  return indexes.map((index, at) => [index, counts[at] ?? Number.NaN])
}
