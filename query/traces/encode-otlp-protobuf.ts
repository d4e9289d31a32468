import type { AnyValue, KeyValue } from '../../model/any-value.ts'
import { SPAN_KINDS, STATUS_CODES } from '../../model/span.ts'
import { createProtobufWriter, type ProtobufWriter } from '../../runtime/protobuf-writer.ts'
import { groupByOrigin } from './group-by-origin.ts'
import type { Resource, Scope, Span, SpanEvent, SpanLink } from './trace.ts'

/**
 * Writes spans as an OTLP `TracesData` message (opentelemetry/proto/trace/v1/trace.proto), which is also the form of
 * Tempo's `Trace`.
 */
export function encodeOtlpProtobuf(spans: readonly Span[]): Uint8Array {
  const writer = createProtobufWriter()
  for (const { resource, scopes } of groupByOrigin(spans)) {
    writer.message(1, () => {
      writer.message(1, () => writeResource(writer, resource))
      for (const group of scopes) {
        writer.message(2, () => {
          writer.message(1, () => writeScope(writer, group.scope))
          for (const span of group.spans) writer.message(2, () => writeSpan(writer, span))
          text(writer, 3, group.scope.schemaUrl)
        })
      }
      text(writer, 3, resource.schemaUrl)
    })
  }
  return writer.finish()
}

function writeResource(writer: ProtobufWriter, resource: Resource): void {
  attributes(writer, 1, resource.attributes)
  count(writer, 2, resource.droppedAttributesCount)
}

function writeScope(writer: ProtobufWriter, scope: Scope): void {
  text(writer, 1, scope.name)
  text(writer, 2, scope.version)
  attributes(writer, 3, scope.attributes)
  count(writer, 4, scope.droppedAttributesCount)
}

function writeSpan(writer: ProtobufWriter, span: Span): void {
  id(writer, 1, span.traceId)
  id(writer, 2, span.spanId)
  text(writer, 3, span.traceState)
  id(writer, 4, span.parentSpanId ?? '')
  text(writer, 5, span.name)
  count(writer, 6, SPAN_KINDS.indexOf(span.kind))
  time(writer, 7, span.startTimeUnixNano)
  time(writer, 8, span.startTimeUnixNano + span.durationNanos)
  attributes(writer, 9, span.attributes)
  count(writer, 10, span.droppedAttributesCount)
  for (const event of span.events) writer.message(11, () => writeEvent(writer, event))
  count(writer, 12, span.droppedEventsCount)
  for (const link of span.links) writer.message(13, () => writeLink(writer, link))
  count(writer, 14, span.droppedLinksCount)
  writer.message(15, () => {
    text(writer, 2, span.status.message)
    count(writer, 3, STATUS_CODES.indexOf(span.status.code))
  })
  if (span.flags !== 0) writer.fixed32(16, span.flags)
}

function writeEvent(writer: ProtobufWriter, event: SpanEvent): void {
  time(writer, 1, event.timeUnixNano)
  text(writer, 2, event.name)
  attributes(writer, 3, event.attributes)
  count(writer, 4, event.droppedAttributesCount)
}

function writeLink(writer: ProtobufWriter, link: SpanLink): void {
  id(writer, 1, link.traceId)
  id(writer, 2, link.spanId)
  text(writer, 3, link.traceState)
  attributes(writer, 4, link.attributes)
  count(writer, 5, link.droppedAttributesCount)
  if (link.flags !== 0) writer.fixed32(6, link.flags)
}

function attributes(writer: ProtobufWriter, field: number, list: readonly KeyValue[]): void {
  for (const attribute of list) writer.message(field, () => writeKeyValue(writer, attribute))
}

function writeKeyValue(writer: ProtobufWriter, { key, value }: KeyValue): void {
  text(writer, 1, key)
  writer.message(2, () => writeValue(writer, value))
}

/** A value that is set is written even when it equals the default: which of the kinds is set is part of the message. */
function writeValue(writer: ProtobufWriter, value: AnyValue): void {
  if ('stringValue' in value) writer.string(1, value.stringValue)
  else if ('boolValue' in value) writer.varint(2, value.boolValue ? 1 : 0)
  else if ('intValue' in value) writer.varint(3, BigInt(value.intValue))
  else if ('doubleValue' in value) writer.double(4, Number(value.doubleValue))
  else if ('arrayValue' in value) {
    const { values } = value.arrayValue
    writer.message(5, () => {
      for (const item of values) writer.message(1, () => writeValue(writer, item))
    })
  } else if ('kvlistValue' in value) {
    const { values } = value.kvlistValue
    writer.message(6, () => attributes(writer, 1, values))
  } else if ('bytesValue' in value) writer.bytes(7, Buffer.from(value.bytesValue, 'base64'))
}

function id(writer: ProtobufWriter, field: number, hex: string): void {
  if (hex !== '') writer.bytes(field, Buffer.from(hex, 'hex'))
}

function text(writer: ProtobufWriter, field: number, value: string): void {
  if (value !== '') writer.string(field, value)
}

function count(writer: ProtobufWriter, field: number, value: number): void {
  if (value !== 0) writer.varint(field, value)
}

function time(writer: ProtobufWriter, field: number, nanos: bigint): void {
  if (nanos !== 0n) writer.fixed64(field, nanos)
}
