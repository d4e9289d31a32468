import type { CounterResetHint, FloatHistogram, HistogramSpan } from '../../model/float-histogram.ts'
import { arrayColumn, type EncodedColumn, fixedColumn, numberColumn, textColumn } from './native-samples.ts'

/** A sample whose series is known by its id. */
export interface IdentifiedSample {
  readonly metric: string
  /** 16 bytes. */
  readonly seriesId: Uint8Array
  /** Epoch milliseconds. */
  readonly timestampMs: number
  /** When the counter behind the sample began to count, epoch milliseconds; 0: not known. */
  readonly startMs: number
}

/** A sample that is a number, or says that the series has ended. */
export interface FloatRow extends IdentifiedSample {
  readonly value: number
  readonly isStale: boolean
}

/** A sample that is a native histogram. */
export interface HistogramRow extends IdentifiedSample {
  readonly histogram: FloatHistogram
}

/** The numbers of the column `reset_hint`. */
export const RESET_HINTS: Readonly<Record<CounterResetHint, number>> = {
  unknown: 0,
  reset: 1,
  not_reset: 2,
  gauge: 3,
}

type Write = (bytes: Buffer, value: number, offset: number) => void

const writeByte: Write = (bytes, value, offset) => bytes.writeUInt8(value, offset)
const writeInt32: Write = (bytes, value, offset) => bytes.writeInt32LE(value, offset)
const writeUint32: Write = (bytes, value, offset) => bytes.writeUInt32LE(value, offset)
const writeDouble: Write = (bytes, value, offset) => bytes.writeDoubleLE(value, offset)
const writeTime: Write = (bytes, value, offset) => bytes.writeBigInt64LE(BigInt(value), offset)

/** Columns of `prom_samples`. */
export function floatColumns(tenant: string, rows: readonly FloatRow[]): EncodedColumn[] {
  return [
    ...identityColumns(tenant, rows),
    doubles(
      'value',
      rows.map(({ value }) => value),
    ),
    numberColumn(
      'is_stale',
      'Bool',
      1,
      rows.map(({ isStale }) => (isStale ? 1 : 0)),
      writeByte,
    ),
  ]
}

/** Columns of `prom_histograms`. */
export function histogramColumns(tenant: string, rows: readonly HistogramRow[]): EncodedColumn[] {
  const histograms = rows.map(({ histogram }) => histogram)
  const hints = histograms.map(({ counterResetHint }) => RESET_HINTS[counterResetHint])
  return [
    ...identityColumns(tenant, rows),
    numberColumn('reset_hint', 'UInt8', 1, hints, writeByte),
    numberColumn(
      'schema',
      'Int8',
      1,
      histograms.map(({ schema }) => schema),
      (bytes, value, offset) => bytes.writeInt8(value, offset),
    ),
    ...(['zeroThreshold', 'zeroCount', 'count', 'sum'] as const).map((field) =>
      doubles(
        NUMBER_COLUMNS[field],
        histograms.map((histogram) => histogram[field]),
      ),
    ),
    ...sideColumns(
      'positive',
      histograms.map(({ positiveSpans: spans, positiveBuckets: buckets }) => ({ spans, buckets })),
    ),
    ...sideColumns(
      'negative',
      histograms.map(({ negativeSpans: spans, negativeBuckets: buckets }) => ({ spans, buckets })),
    ),
    arrayColumn(
      'custom_values',
      'Float64',
      8,
      histograms.map(({ customValues }) => customValues),
      writeDouble,
    ),
  ]
}

const NUMBER_COLUMNS = {
  zeroThreshold: 'zero_threshold',
  zeroCount: 'zero_count',
  count: 'count',
  sum: 'sum',
} as const

interface Side {
  readonly spans: readonly HistogramSpan[]
  readonly buckets: readonly number[]
}

function sideColumns(sign: 'positive' | 'negative', sides: readonly Side[]): EncodedColumn[] {
  const offsets = sides.map(({ spans }) => spans.map(({ offset }) => offset))
  const lengths = sides.map(({ spans }) => spans.map(({ length }) => length))
  const counts = sides.map(({ buckets }) => buckets)
  return [
    arrayColumn(`${sign}_offsets`, 'Int32', 4, offsets, writeInt32),
    arrayColumn(`${sign}_lengths`, 'UInt32', 4, lengths, writeUint32),
    arrayColumn(`${sign}_counts`, 'Float64', 8, counts, writeDouble),
  ]
}

function identityColumns(tenant: string, rows: readonly IdentifiedSample[]): EncodedColumn[] {
  return [
    textColumn(
      'tenant',
      rows.map(() => tenant),
    ),
    textColumn(
      'metric',
      rows.map(({ metric }) => metric),
    ),
    fixedColumn(
      'series',
      16,
      rows.map(({ seriesId }) => seriesId),
    ),
    times(
      'ts',
      rows.map(({ timestampMs }) => timestampMs),
    ),
    times(
      'start',
      rows.map(({ startMs }) => startMs),
    ),
  ]
}

function times(name: string, values: readonly number[]): EncodedColumn {
  return numberColumn(name, "DateTime64(3, 'UTC')", 8, values, writeTime)
}

function doubles(name: string, values: readonly number[]): EncodedColumn {
  return numberColumn(name, 'Float64', 8, values, writeDouble)
}
