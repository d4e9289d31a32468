import type { Interner } from '../native/interner.ts'
import type { AttributeKeyRegistry } from './attribute-key-registry.ts'
import { AttributeReader } from './attribute-reader.ts'
import type { DecodeOutcome, RejectReason } from './decode-outcome.ts'
import { MeshAttributes } from './mesh-attributes.ts'
import type { Origin, OriginRegistry } from './origin-registry.ts'
import type { SpanColumns } from './span-block.ts'
import { pushSpanEvents, pushSpanLinks } from './span-lists.ts'
import { checkTime, type TimeWindow } from './time-window.ts'
import { walkScopes } from './walk-scopes.ts'
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT, type WireReader } from './wire-reader.ts'

/** What a decoder of one signal works with. */
export interface DecoderParts {
  readonly reader: WireReader
  readonly text: Interner
  readonly origins: OriginRegistry
  readonly keys: AttributeKeyRegistry
  readonly maxAttributes: number
}

/** Decodes one message into columns. */
export type DecodeMessage = (
  bytes: Uint8Array,
  tenantId: number,
  window: TimeWindow,
  outcome: DecodeOutcome,
) => void

const MAX_LIST = 1 << 16

/**
 * Makes the decoder of `ExportTraceServiceRequest` (OTLP protobuf): one pass over the bytes, every good span a row of
 * `columns`, every bad one counted in the outcome. Throws MALFORMED_MESSAGE; the rows appended so far are then the caller's to roll back.
 */
export function createTraceDecoder(parts: DecoderParts, columns: SpanColumns): DecodeMessage {
  const { reader, origins } = parts
  const attributes = new AttributeReader(parts.text, parts.maxAttributes)
  const mesh = new MeshAttributes(parts.text, attributes, reader)
  const observeKey = parts.keys.observer('span')
  /** Starts and ends of the span's events and links. */
  const events = new Int32Array(MAX_LIST * 2)
  const links = new Int32Array(MAX_LIST * 2)

  function decodeSpan(
    end: number,
    tenantId: number,
    origin: Origin,
    window: TimeWindow,
  ): RejectReason | null {
    let traceId = -1
    let spanId = -1
    let parentId = -1
    let isTraceIdGood = false
    let isSpanIdGood = false
    let isParentGood = true
    let stateStart = 0
    let stateEnd = 0
    let nameStart = 0
    let nameEnd = 0
    let kind = 0
    let startLow = 0
    let startHigh = 0
    let endLow = 0
    let endHigh = 0
    let droppedAttributes = 0
    let droppedEvents = 0
    let droppedLinks = 0
    let eventCount = 0
    let linkCount = 0
    let statusCode = 0
    let messageStart = 0
    let messageEnd = 0
    let flags = 0
    const { bytes } = reader
    attributes.begin()
    while (reader.position < end) {
      const field = reader.tag(end)
      const { wireType } = reader
      if (wireType === LENGTH_DELIMITED) {
        const to = reader.enter(end)
        const from = reader.position
        switch (field) {
          case 9:
            attributes.add(reader, to)
            break
          case 1:
            isTraceIdGood = to - from === 16 && !isZero(bytes, from, to)
            traceId = from
            break
          case 2:
            isSpanIdGood = to - from === 8 && !isZero(bytes, from, to)
            spanId = from
            break
          case 3:
            stateStart = from
            stateEnd = to
            break
          case 4:
            isParentGood = to === from || to - from === 8
            parentId = to === from ? -1 : from
            break
          case 5:
            nameStart = from
            nameEnd = to
            break
          case 11:
            if (eventCount === MAX_LIST) droppedEvents++
            else {
              events[eventCount * 2] = from
              events[eventCount * 2 + 1] = to
              eventCount++
            }
            break
          case 13:
            if (linkCount === MAX_LIST) droppedLinks++
            else {
              links[linkCount * 2] = from
              links[linkCount * 2 + 1] = to
              linkCount++
            }
            break
          case 15:
            while (reader.position < to) {
              const statusField = reader.tag(to)
              if (statusField === 2 && reader.wireType === LENGTH_DELIMITED) {
                messageEnd = reader.enter(to)
                messageStart = reader.position
                reader.position = messageEnd
              } else if (statusField === 3 && reader.wireType === VARINT) statusCode = reader.varint32(to)
              else reader.skip(to, statusField)
            }
            break
          default:
        }
        reader.position = to
      } else if (field === 7 && wireType === FIXED64) {
        reader.fixed64(end)
        startLow = reader.low
        startHigh = reader.high
      } else if (field === 8 && wireType === FIXED64) {
        reader.fixed64(end)
        endLow = reader.low
        endHigh = reader.high
      } else if (field === 6 && wireType === VARINT) kind = reader.varint32(end)
      else if (field === 10 && wireType === VARINT) droppedAttributes += reader.varint32(end)
      else if (field === 12 && wireType === VARINT) droppedEvents += reader.varint32(end)
      else if (field === 14 && wireType === VARINT) droppedLinks += reader.varint32(end)
      else if (field === 16 && wireType === FIXED32) flags = reader.fixed32(end)
      else reader.skip(end, field)
    }
    if (!isTraceIdGood) return 'trace_id'
    if (!isSpanIdGood) return 'span_id'
    if (!isParentGood) return 'parent_span_id'
    if (attributes.isTooDeep) return 'too_deep'
    const badTime = checkTime(startLow, startHigh, window)
    if (badTime !== null) return badTime
    if (kind > 5) kind = 0
    if (statusCode > 2) statusCode = 0
    attributes.finish()
    // Events and links can be refused for their depth, so they come before anything else is written.
    if (!pushSpanEvents(reader, events, eventCount, columns.events)) return 'too_deep'
    if (!pushSpanLinks(reader, links, linkCount, columns.links)) {
      columns.events.pop()
      return 'too_deep'
    }
    mesh.read(kind, statusCode)
    attributes.writeTo(reader, columns.attrs, columns.attr_kinds, observeKey)
    columns.tenant.push(tenantId)
    columns.ts.pushUint64(startLow, startHigh)
    columns.trace_id.pushFrom(bytes, traceId)
    columns.span_id.pushFrom(bytes, spanId)
    if (parentId < 0) columns.parent_span_id.pushZero()
    else columns.parent_span_id.pushFrom(bytes, parentId)
    columns.trace_state.pushUtf8(bytes, stateStart, stateEnd)
    columns.flags.pushUint32(flags)
    columns.origin.push(origin.originId)
    columns.service.push(origin.serviceId)
    columns.name.push(parts.text.intern(bytes, nameStart, nameEnd))
    columns.kind.pushUint8(kind)
    // A span without an end is kept, with no duration; one that ends before it starts keeps its negative one.
    if (endLow === 0 && endHigh === 0) columns.duration_ns.pushUint64(0, 0)
    else columns.duration_ns.pushUint64(endLow - startLow, endHigh - startHigh - (endLow < startLow ? 1 : 0))
    columns.status_code.pushUint8(statusCode)
    columns.status_message.pushUtf8(bytes, messageStart, messageEnd)
    columns.is_error.pushUint8(mesh.isError ? 1 : 0)
    columns.http_status.pushUint16(mesh.httpStatus)
    columns.http_method.push(mesh.httpMethod)
    columns.grpc_status.pushUint16(mesh.grpcStatus)
    columns.response_flags.push(mesh.responseFlags)
    columns.retry_attempt.pushUint16(mesh.retryAttempt)
    columns.upstream.push(mesh.upstream)
    columns.upstream_cluster.push(mesh.upstreamCluster)
    columns.upstream_endpoint.push(mesh.upstreamEndpoint)
    columns.dropped_attributes.pushUint32(droppedAttributes + attributes.overflow)
    columns.dropped_events.pushUint32(droppedEvents)
    columns.dropped_links.pushUint32(droppedLinks)
    return null
  }

  return (bytes, tenantId, window, outcome) => {
    reader.begin(bytes)
    walkScopes(reader, origins, (origin, end) => {
      if (origin === null) {
        outcome.reject('too_deep')
        return
      }
      const reason = decodeSpan(end, tenantId, origin, window)
      if (reason === null) {
        outcome.accepted++
        outcome.droppedAttributes += attributes.overflow
      } else outcome.reject(reason)
    })
  }
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (bytes[index] !== 0) return false
  return true
}
