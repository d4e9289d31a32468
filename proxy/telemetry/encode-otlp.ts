import { createProtobufWriter, type ProtobufWriter } from '../../runtime/protobuf-writer.ts'
import type { AnyFamily, HistogramCell, MetricCell } from './metric-registry.ts'
import type { Attributes, AttributeValue, EventRecord, SpanRecord } from './telemetry-record.ts'

/** Who sends: the resource's attributes and the version of the instrumentation scope. */
export interface OtlpOrigin {
  readonly resource: Attributes
  readonly scopeVersion: string
}

const SCOPE_NAME = 'meshwatch.proxy'
const CUMULATIVE = 2
const KIND = { server: 2, client: 3 } as const
const SEVERITY = { info: { number: 9, text: 'INFO' }, warn: { number: 13, text: 'WARN' } } as const
/** `SpanFlags`: the context of the parent is known to be remote or local; we do not say. */
const SAMPLED = 1

/** Writes an `ExportTraceServiceRequest`. */
export function encodeSpans(origin: OtlpOrigin, spans: readonly SpanRecord[]): Uint8Array {
  return encodeRequest(origin, (writer) => {
    for (const span of spans) writer.message(2, () => writeSpan(writer, span))
  })
}

/** Writes an `ExportLogsServiceRequest`. */
export function encodeEvents(origin: OtlpOrigin, events: readonly EventRecord[]): Uint8Array {
  return encodeRequest(origin, (writer) => {
    for (const event of events) writer.message(2, () => writeEvent(writer, event))
  })
}

/** When metrics are read. Epoch milliseconds. */
export interface MetricTimes {
  readonly startMs: number
  readonly nowMs: number
  /** When metrics were taken last, or the start. */
  readonly previousMs: number
  /** Whether a series came about since then. */
  readonly isNew: (cell: MetricCell | HistogramCell) => boolean
}

/**
 * Writes an `ExportMetricsServiceRequest`: counters as monotonic cumulative sums since `startMs`, histograms cumulative. A new series
 * begins with a zero at `previousMs`, so that a rate sees its first counts too.
 */
export function encodeMetrics(
  origin: OtlpOrigin,
  families: readonly AnyFamily[],
  times: MetricTimes,
): Uint8Array {
  return encodeRequest(origin, (writer) => {
    for (const entry of families) {
      if ([...entry.family.cells()].length > 0) {
        writer.message(2, () => writeMetric(writer, entry, times))
      }
    }
  })
}

function encodeRequest(origin: OtlpOrigin, writeItems: (writer: ProtobufWriter) => void): Uint8Array {
  const writer = createProtobufWriter()
  writer.message(1, () => {
    writer.message(1, () => writeAttributes(writer, 1, origin.resource))
    writer.message(2, () => {
      writer.message(1, () => {
        writer.string(1, SCOPE_NAME)
        writer.string(2, origin.scopeVersion)
      })
      writeItems(writer)
    })
  })
  return writer.finish()
}

function writeSpan(writer: ProtobufWriter, span: SpanRecord): void {
  writer.bytes(1, Buffer.from(span.traceId, 'hex'))
  writer.bytes(2, Buffer.from(span.spanId, 'hex'))
  if (span.traceState !== '') writer.string(3, span.traceState)
  if (span.parentSpanId !== '') writer.bytes(4, Buffer.from(span.parentSpanId, 'hex'))
  writer.string(5, span.name)
  writer.varint(6, KIND[span.kind])
  writer.fixed64(7, nanoseconds(span.startMs))
  writer.fixed64(8, nanoseconds(span.endMs))
  writeAttributes(writer, 9, span.attributes)
  if (span.isError) {
    writer.message(15, () => {
      if (span.statusMessage !== '') writer.string(2, span.statusMessage)
      writer.varint(3, 2)
    })
  }
  if (span.isHeadSampled) writer.fixed32(16, SAMPLED)
}

function writeEvent(writer: ProtobufWriter, event: EventRecord): void {
  const time = nanoseconds(event.atMs)
  writer.fixed64(1, time)
  writer.varint(2, SEVERITY[event.severity].number)
  writer.string(3, SEVERITY[event.severity].text)
  writer.message(5, () => writer.string(1, event.body))
  writeAttributes(writer, 6, event.attributes)
  if (event.traceId !== '') writer.bytes(9, Buffer.from(event.traceId, 'hex'))
  writer.fixed64(11, time)
  writer.string(12, event.name)
}

function writeMetric(writer: ProtobufWriter, entry: AnyFamily, times: MetricTimes): void {
  const { name, help, unit } = entry.family
  const start = nanoseconds(times.startMs)
  const now = nanoseconds(times.nowMs)
  const previous = nanoseconds(times.previousMs)
  writer.string(1, name)
  writer.string(2, help)
  if (unit !== '') writer.string(3, unit)
  if (entry.kind === 'histogram') {
    const write = (cell: HistogramCell, at: bigint): void =>
      writer.message(1, () => writeHistogramPoint(writer, cell, entry.boundaries, start, at))
    writer.message(9, () => {
      for (const cell of entry.family.cells()) {
        if (times.isNew(cell)) {
          write({ labels: cell.labels, counts: cell.counts.map(() => 0), sum: 0, count: 0 }, previous)
        }
        write(cell, now)
      }
      writer.varint(2, CUMULATIVE)
    })
    return
  }
  const isCounter = entry.kind === 'counter'
  const write = (cell: MetricCell, at: bigint): void =>
    writer.message(1, () => writeNumberPoint(writer, cell, isCounter ? start : null, at))
  writer.message(isCounter ? 7 : 5, () => {
    for (const cell of entry.family.cells()) {
      if (isCounter && times.isNew(cell)) write({ labels: cell.labels, value: 0 }, previous)
      write(cell, now)
    }
    if (!isCounter) return
    writer.varint(2, CUMULATIVE)
    writer.varint(3, 1)
  })
}

function writeNumberPoint(writer: ProtobufWriter, cell: MetricCell, start: bigint | null, now: bigint): void {
  if (start !== null) writer.fixed64(2, start)
  writer.fixed64(3, now)
  writer.double(4, cell.value)
  writeAttributes(writer, 7, cell.labels)
}

function writeHistogramPoint(
  writer: ProtobufWriter,
  cell: HistogramCell,
  boundaries: readonly number[],
  start: bigint,
  now: bigint,
): void {
  writer.fixed64(2, start)
  writer.fixed64(3, now)
  writer.fixed64(4, BigInt(cell.count))
  writer.double(5, cell.sum)
  const counts = Buffer.allocUnsafe(cell.counts.length * 8)
  cell.counts.forEach((count, at) => void counts.writeBigUInt64LE(BigInt(count), at * 8))
  writer.bytes(6, counts)
  const bounds = Buffer.allocUnsafe(boundaries.length * 8)
  boundaries.forEach((bound, at) => void bounds.writeDoubleLE(bound, at * 8))
  writer.bytes(7, bounds)
  writeAttributes(writer, 9, cell.labels)
}

function writeAttributes(writer: ProtobufWriter, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key]
    if (value === undefined) continue
    writer.message(field, () => {
      writer.string(1, key)
      writer.message(2, () => writeValue(writer, value))
    })
  }
}

function writeValue(writer: ProtobufWriter, value: AttributeValue): void {
  if (typeof value === 'string') writer.string(1, value)
  else if (typeof value === 'boolean') writer.varint(2, value ? 1 : 0)
  else if (typeof value !== 'number') {
    writer.message(5, () => {
      for (const text of value) writer.message(1, () => writer.string(1, text))
    })
  } else if (Number.isSafeInteger(value)) writer.varint(3, value)
  else writer.double(4, value)
}

function nanoseconds(epochMs: number): bigint {
  const whole = Math.floor(epochMs)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((epochMs - whole) * 1e6))
}
