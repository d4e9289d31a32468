import type { CounterResetHint, FloatHistogram, HistogramSpan } from '../../model/float-histogram.ts'
import { type Labels, labelPairs, labelValue, METRIC_NAME } from '../../model/labels.ts'
import { createProtobufWriter, type ProtobufWriter } from '../../runtime/protobuf-writer.ts'

/** One sample of a series as a sender has it. */
export interface SentSample {
  readonly timestampMs: number
  /** Absent: 0. */
  readonly value?: number
  /** The series ends: the value, or the histogram's sum, is the stale marker. */
  readonly isStale?: boolean
  /** The sample is a native histogram. */
  readonly histogram?: FloatHistogram
  /** Sends the histogram's counts as integers and its buckets as differences. */
  readonly isInteger?: boolean
  /** When the counter began to count (2.0 only), epoch milliseconds. */
  readonly startMs?: number
}

/** An exemplar of a series. */
export interface SentExemplar {
  readonly labels: Labels
  readonly value: number
  readonly timestampMs: number
}

/** What a sender knows of a metric; types as in OpenMetrics. */
export interface SentMetadata {
  readonly type: keyof typeof TYPES
  readonly help: string
  readonly unit: string
}

/** One series of a message. */
export interface SentSeries {
  /** As they go onto the wire: unsorted, invalid and repeated ones too. */
  readonly labels: Labels
  readonly samples: readonly SentSample[]
  readonly exemplars?: readonly SentExemplar[]
  /** Of the series' metric: beside the series in 2.0, for the metric's name in 1.0. */
  readonly metadata?: SentMetadata
}

/** The versions of Prometheus' remote write protocol. */
export type WriteVersion = 1 | 2

const TYPES = {
  unknown: 0,
  counter: 1,
  gauge: 2,
  histogram: 3,
  gaugehistogram: 4,
  summary: 5,
  info: 6,
  stateset: 7,
} as const

const HINTS: Readonly<Record<CounterResetHint, number>> = { unknown: 0, reset: 1, not_reset: 2, gauge: 3 }
const STALE_BITS = 0x7ff0000000000002n

/** Encodes `prometheus.WriteRequest` (1) or `io.prometheus.write.v2.Request` (2), not compressed. Defaults are left out, as proto3 has it. */
export function encodeWriteRequest(series: readonly SentSeries[], version: WriteVersion): Uint8Array {
  return version === 1 ? encodeV1(series) : encodeV2(series)
}

function encodeV1(series: readonly SentSeries[]): Uint8Array {
  const writer = createProtobufWriter()
  for (const { labels, samples, exemplars = [] } of series) {
    writer.message(1, () => {
      writeLabels(writer, labels)
      for (const sample of samples) if (sample.histogram === undefined) writeSample(writer, 2, sample, 1)
      for (const { labels: own, value, timestampMs } of exemplars) {
        writer.message(3, () => {
          writeLabels(writer, own)
          writeDouble(writer, 2, value)
          writeInteger(writer, 3, timestampMs)
        })
      }
      for (const sample of samples) if (sample.histogram !== undefined) writeHistogram(writer, 4, sample, 1)
    })
  }
  for (const { labels, metadata } of series) {
    if (metadata === undefined) continue
    writer.message(3, () => {
      writeInteger(writer, 1, TYPES[metadata.type])
      writer.string(2, labelValue(labels, METRIC_NAME))
      writer.string(4, metadata.help)
      writer.string(5, metadata.unit)
    })
  }
  return writer.finish()
}

function encodeV2(series: readonly SentSeries[]): Uint8Array {
  const writer = createProtobufWriter()
  const symbols = new Map<string, number>([['', 0]])
  const symbol = (text: string): number => {
    const number = symbols.get(text) ?? symbols.size
    symbols.set(text, number)
    return number
  }
  // Symbols are collected first: senders write them in front of the series.
  const refs = series.map(({ labels, exemplars = [], metadata }) => ({
    labels: labels.map(symbol),
    exemplars: exemplars.map((exemplar) => exemplar.labels.map(symbol)),
    help: symbol(metadata?.help ?? ''),
    unit: symbol(metadata?.unit ?? ''),
  }))
  for (const text of symbols.keys()) writer.string(4, text)
  for (const [index, { samples, exemplars = [], metadata }] of series.entries()) {
    const own = refs[index] as (typeof refs)[number]
    writer.message(5, () => {
      writePacked(writer, 1, own.labels)
      for (const sample of samples) if (sample.histogram === undefined) writeSample(writer, 2, sample, 2)
      for (const sample of samples) if (sample.histogram !== undefined) writeHistogram(writer, 3, sample, 2)
      for (const [at, { value, timestampMs }] of exemplars.entries()) {
        writer.message(4, () => {
          writePacked(writer, 1, own.exemplars[at] ?? [])
          writeDouble(writer, 2, value)
          writeInteger(writer, 3, timestampMs)
        })
      }
      if (metadata !== undefined) {
        writer.message(5, () => {
          writeInteger(writer, 1, TYPES[metadata.type])
          writeInteger(writer, 3, own.help)
          writeInteger(writer, 4, own.unit)
        })
      }
    })
  }
  return writer.finish()
}

function writeLabels(writer: ProtobufWriter, labels: Labels): void {
  for (const [name, value] of labelPairs(labels)) {
    writer.message(1, () => {
      if (name !== '') writer.string(1, name)
      if (value !== '') writer.string(2, value)
    })
  }
}

function writeSample(writer: ProtobufWriter, field: number, sample: SentSample, version: WriteVersion): void {
  writer.message(field, () => {
    if (sample.isStale === true) writer.fixed64(1, STALE_BITS)
    else writeDouble(writer, 1, sample.value ?? 0)
    writeInteger(writer, 2, sample.timestampMs)
    if (version === 2) writeInteger(writer, 3, sample.startMs ?? 0)
  })
}

function writeHistogram(
  writer: ProtobufWriter,
  field: number,
  sample: SentSample,
  version: WriteVersion,
): void {
  const { histogram, isInteger = false } = sample
  if (histogram === undefined) return
  writer.message(field, () => {
    if (isInteger) writer.varint(1, histogram.count)
    else writer.double(2, histogram.count)
    if (sample.isStale === true) writer.fixed64(3, STALE_BITS)
    else writeDouble(writer, 3, histogram.sum)
    if (histogram.schema !== 0) writer.varint(4, zigZag(histogram.schema))
    writeDouble(writer, 5, histogram.zeroThreshold)
    if (isInteger) writer.varint(6, histogram.zeroCount)
    else writer.double(7, histogram.zeroCount)
    writeSide(writer, 8, histogram.negativeSpans, histogram.negativeBuckets, isInteger)
    writeSide(writer, 11, histogram.positiveSpans, histogram.positiveBuckets, isInteger)
    writeInteger(writer, 14, HINTS[histogram.counterResetHint])
    writeInteger(writer, 15, sample.timestampMs)
    writeDoubles(writer, 16, histogram.customValues)
    if (version === 2) writeInteger(writer, 17, sample.startMs ?? 0)
  })
}

/** Spans at `field`, differences of integers behind them, counts behind these. */
function writeSide(
  writer: ProtobufWriter,
  field: number,
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
  isInteger: boolean,
): void {
  for (const { offset, length } of spans) {
    writer.message(field, () => {
      if (offset !== 0) writer.varint(1, zigZag(offset))
      writeInteger(writer, 2, length)
    })
  }
  const differences = buckets.map((count, index) => zigZag(count - (buckets[index - 1] ?? 0)))
  if (isInteger) writePacked(writer, field + 1, differences)
  else writeDoubles(writer, field + 2, buckets)
}

function writePacked(writer: ProtobufWriter, field: number, numbers: readonly number[]): void {
  if (numbers.length === 0) return
  const bytes: number[] = []
  for (const number of numbers) {
    let rest = number
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
    bytes.push(rest)
  }
  writer.bytes(field, Uint8Array.from(bytes))
}

function writeDoubles(writer: ProtobufWriter, field: number, numbers: readonly number[]): void {
  if (numbers.length > 0) writer.bytes(field, new Uint8Array(Float64Array.from(numbers).buffer))
}

function writeDouble(writer: ProtobufWriter, field: number, value: number): void {
  if (!Object.is(value, 0)) writer.double(field, value)
}

function writeInteger(writer: ProtobufWriter, field: number, value: number): void {
  if (value !== 0) writer.varint(field, value)
}

function zigZag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1
}
