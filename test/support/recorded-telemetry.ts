import type { Attributes, HrTime } from '@opentelemetry/api'
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { AnyValue, KeyValue } from '../../model/any-value.ts'
import { SPAN_KINDS, STATUS_CODES } from '../../model/span.ts'

/** What the SDK recorded as OTLP has it. Written from the specification, without the SDK's serializers. */
export function recordedValue(value: unknown): AnyValue {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number')
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(recordedValue) } }
  if (typeof value === 'object' && value !== null)
    return { kvlistValue: { values: recordedAttributes(value) } }
  return {}
}

/** Attributes as OTLP has them, in the order recorded. */
export function recordedAttributes(attributes: Attributes | object): KeyValue[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: recordedValue(value) }))
}

/** Nanoseconds since the epoch. */
export function recordedNanos([seconds, nanos]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos)
}

/** A span that the SDK recorded, as the native API shows it, without what the mesh makes of it. */
export function recordedSpan(span: ReadableSpan): Record<string, unknown> {
  const { spanId, traceFlags, traceState } = span.spanContext()
  const start = recordedNanos(span.startTime)
  return {
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? null,
    traceState: traceState?.serialize() ?? '',
    flags: contextFlags(traceFlags, span.parentSpanContext?.isRemote),
    name: span.name,
    kind: SPAN_KINDS[span.kind + 1],
    startTimeUnixNano: String(start),
    durationNanos: String(recordedNanos(span.endTime) - start),
    status: { code: STATUS_CODES[span.status.code], message: span.status.message ?? '' },
    attributes: recordedAttributes(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map((event) => ({
      timeUnixNano: String(recordedNanos(event.time)),
      name: event.name,
      attributes: recordedAttributes(event.attributes ?? {}),
      droppedAttributesCount: event.droppedAttributesCount ?? 0,
    })),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map((link) => ({
      traceId: link.context.traceId,
      spanId: link.context.spanId,
      traceState: link.context.traceState?.serialize() ?? '',
      attributes: recordedAttributes(link.attributes ?? {}),
      droppedAttributesCount: link.droppedAttributesCount ?? 0,
      flags: contextFlags(link.context.traceFlags, link.context.isRemote),
    })),
    droppedLinksCount: span.droppedLinksCount,
  }
}

/** A log record that the SDK recorded, as the native API shows it. */
export function recordedLog(record: ReadableLogRecord): Record<string, unknown> {
  return {
    timeUnixNano: String(recordedNanos(record.hrTime)),
    observedTimeUnixNano: String(recordedNanos(record.hrTimeObserved)),
    traceId: record.spanContext?.traceId ?? null,
    spanId: record.spanContext?.spanId ?? null,
    flags: record.spanContext?.traceFlags ?? 0,
    severityNumber: record.severityNumber ?? 0,
    severityText: record.severityText ?? '',
    eventName: record.eventName ?? '',
    body: recordedValue(record.body),
    attributes: recordedAttributes(record.attributes),
    droppedAttributesCount: record.droppedAttributesCount,
  }
}

/** The flags of OTLP: bits 0 … 7 W3C's, 8 "it is known whether the context is remote", 9 "it is". */
function contextFlags(traceFlags: number, isRemote: boolean | undefined): number {
  return traceFlags | 0x100 | (isRemote === true ? 0x200 : 0)
}
