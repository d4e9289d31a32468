import { createHash } from 'node:crypto'
import { type Labels, labelPairs, labelsKey, labelValue, METRIC_NAME } from '../model/labels.ts'
import type { NativeColumn, NativeInsert } from '../storage/storage.ts'
import type { RecordedSample } from './sample-recorder.ts'

/** A series as the index of series tells of it. */
export interface IndexRow {
  readonly labels: Labels
  /** Days since 1970. */
  readonly day: number
}

const DAY_MS = 86_400_000

/** The day of a sample, days since 1970. */
export function sampleDay(sample: RecordedSample): number {
  return Math.floor(sample.timestampMs / DAY_MS)
}

/** Rows of `metric_samples`. The same samples make the same token. */
export function samplesInsert(tenant: string, samples: readonly RecordedSample[]): NativeInsert {
  const rows = samples.length
  return insert('metric_samples', rows, [
    [{ name: 'tenant', type: 'String' }, repeat(text(tenant), rows)],
    [{ name: 'metric', type: 'String' }, samples.map(({ labels }) => text(labelValue(labels, METRIC_NAME)))],
    [{ name: 'series', type: 'FixedString(16)' }, samples.map(({ labels }) => seriesId(labels))],
    [
      { name: 'ts', type: "DateTime64(3, 'UTC')" },
      samples.map(({ timestampMs }) => int64(BigInt(timestampMs))),
    ],
    [{ name: 'value', type: 'Float64' }, samples.map(({ value }) => float64(value))],
    [{ name: 'is_stale', type: 'Bool' }, samples.map(({ isStale }) => Buffer.from([isStale ? 1 : 0]))],
  ])
}

/** Rows of `prom_series` for recorded series. */
export function seriesInsert(tenant: string, series: readonly IndexRow[]): NativeInsert {
  const rows = series.length
  const names = series.map(({ labels }) => text(labelValue(labels, METRIC_NAME)))
  const pairs = series.map(({ labels }) => [...labelPairs(labels)].filter(([name]) => name !== METRIC_NAME))
  let end = 0n
  const offsets = pairs.map((own) => {
    end += BigInt(own.length)
    return int64(end)
  })
  return insert('prom_series', rows, [
    [{ name: 'tenant', type: 'String' }, repeat(text(tenant), rows)],
    [{ name: 'name', type: 'String' }, names],
    [{ name: 'id', type: 'FixedString(16)' }, series.map(({ labels }) => seriesId(labels))],
    [{ name: 'day', type: 'Date' }, series.map(({ day }) => uint16(day))],
    [{ name: 'kind', type: 'String' }, repeat(text('sample'), rows)],
    [{ name: 'temporality', type: 'String' }, repeat(text('unspecified'), rows)],
    [{ name: 'is_monotonic', type: 'Bool' }, repeat(Buffer.from([0]), rows)],
    [{ name: 'metric', type: 'String' }, names],
    [{ name: 'unit', type: 'String' }, repeat(text(''), rows)],
    [{ name: 'description', type: 'String' }, repeat(text(''), rows)],
    [
      { name: 'labels', type: 'Map(String, String)' },
      [
        ...offsets,
        ...pairs.flat().map(([name]) => text(name)),
        ...pairs.flat().map(([, value]) => text(value)),
      ],
    ],
  ])
}

function seriesId(labels: Labels): Buffer {
  return createHash('sha256').update(labelsKey(labels)).digest().subarray(0, 16)
}

function insert(
  table: NativeInsert['table'],
  rows: number,
  columns: readonly (readonly [NativeColumn, readonly Buffer[]])[],
): NativeInsert {
  const parts = [varint(columns.length), varint(rows)]
  for (const [{ name, type }, values] of columns) parts.push(text(name), text(type), ...values)
  const block = Buffer.concat(parts)
  const digest = createHash('sha256').update(block).digest('hex')
  return {
    table,
    columns: columns.map(([column]) => column),
    blocks: [block],
    rows,
    deduplicationToken: `rules-${digest}`,
  }
}

function repeat(value: Buffer, times: number): Buffer[] {
  return Array.from({ length: times }, () => value)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([varint(bytes.length), bytes])
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(Math.max(0, Math.min(65_535, value)))
  return bytes
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return Buffer.from([...bytes, rest])
}
