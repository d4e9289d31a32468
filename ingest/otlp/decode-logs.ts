import { isWithinDepth, pushAnyValue } from './any-value-text.ts'
import { AttributeReader } from './attribute-reader.ts'
import type { DecodeOutcome, RejectReason } from './decode-outcome.ts'
import type { DecodeMessage, DecoderParts } from './decode-traces.ts'
import { LetterNumbers } from './letter-numbers.ts'
import type { LogColumns } from './log-block.ts'
import type { Origin } from './origin-registry.ts'
import { checkTime, type TimeWindow } from './time-window.ts'
import { walkScopes } from './walk-scopes.ts'
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from './wire-reader.ts'

/** What named an event before LogRecord had the field `event_name`. */
const EVENT_NAME_KEY = 'event.name'

const MAX_SEVERITY = 24

/**
 * Makes the decoder of `ExportLogsServiceRequest` (OTLP protobuf): one pass over the bytes, every good log record a row of
 * `columns`, every bad one counted in the outcome. A record stands at its time, else at its observed time, else at the
 * time of receipt. Throws MALFORMED_MESSAGE; the rows appended so far are then the caller's to roll back.
 */
export function createLogDecoder(parts: DecoderParts, columns: LogColumns): DecodeMessage {
  const { reader, origins, text } = parts
  const attributes = new AttributeReader(text, parts.maxAttributes)
  const letters = new LetterNumbers(text)
  const observeKey = parts.keys.observer('log')
  let eventNameKey = 0
  let generation = -1

  function decodeRecord(
    end: number,
    tenantId: number,
    origin: Origin,
    window: TimeWindow,
  ): RejectReason | null {
    let timeLow = 0
    let timeHigh = 0
    let observedLow = 0
    let observedHigh = 0
    let severity = 0
    let severityStart = 0
    let severityEnd = 0
    let bodyStart = 0
    let bodyEnd = 0
    let dropped = 0
    let flags = 0
    let traceStart = 0
    let traceSize = 0
    let spanStart = 0
    let spanSize = 0
    let eventStart = 0
    let eventEnd = 0
    const { bytes } = reader
    attributes.begin()
    while (reader.position < end) {
      const field = reader.tag(end)
      const { wireType } = reader
      if (wireType === LENGTH_DELIMITED) {
        const to = reader.enter(end)
        const from = reader.position
        switch (field) {
          case 6:
            attributes.add(reader, to)
            break
          case 5:
            bodyStart = from
            bodyEnd = to
            break
          case 3:
            severityStart = from
            severityEnd = to
            break
          case 9:
            traceStart = from
            traceSize = to - from
            break
          case 10:
            spanStart = from
            spanSize = to - from
            break
          case 12:
            eventStart = from
            eventEnd = to
            break
          default:
        }
        reader.position = to
      } else if (field === 1 && wireType === FIXED64) {
        reader.fixed64(end)
        timeLow = reader.low
        timeHigh = reader.high
      } else if (field === 11 && wireType === FIXED64) {
        reader.fixed64(end)
        observedLow = reader.low
        observedHigh = reader.high
      } else if (field === 2 && wireType === VARINT) severity = reader.varint32(end)
      else if (field === 7 && wireType === VARINT) dropped = reader.varint32(end)
      else if (field === 8 && wireType === FIXED32) flags = reader.fixed32(end)
      else reader.skip(end, field)
    }
    if (attributes.isTooDeep || !isWithinDepth(reader, bodyStart, bodyEnd)) return 'too_deep'
    let low = timeLow
    let high = timeHigh
    if (low === 0 && high === 0) {
      low = observedLow
      high = observedHigh
    }
    const badTime = checkTime(low, high, window)
    if (badTime === 'no_time') {
      const now = BigInt(Math.floor(window.nowMs)) * 1_000_000n
      low = Number(now & 0xffff_ffffn)
      high = Number(now >> 32n)
    } else if (badTime !== null) return badTime

    attributes.finish()
    columns.event_name.push(eventEnd > eventStart ? text.intern(bytes, eventStart, eventEnd) : eventName())
    attributes.writeTo(reader, columns.attrs, columns.attr_kinds, observeKey)
    columns.body_kind.push(letters.of(pushAnyValue(reader, bodyStart, bodyEnd, columns.body)))
    columns.tenant.push(tenantId)
    columns.ts.pushUint64(low, high)
    columns.time_unix_nano.pushUint64(timeLow, timeHigh)
    columns.observed_time_unix_nano.pushUint64(observedLow, observedHigh)
    // An id of another length counts as none: the record is worth keeping without its trace (logs.proto).
    if (traceSize !== 16) columns.trace_id.pushZero()
    else columns.trace_id.pushFrom(bytes, traceStart)
    if (spanSize !== 8) columns.span_id.pushZero()
    else columns.span_id.pushFrom(bytes, spanStart)
    columns.flags.pushUint32(flags)
    columns.severity_number.pushUint8(severity > MAX_SEVERITY ? 0 : severity)
    columns.severity_text.push(text.intern(bytes, severityStart, severityEnd))
    columns.origin.push(origin.originId)
    columns.service.push(origin.serviceId)
    columns.dropped_attributes.pushUint32(dropped + attributes.overflow)
    return null
  }

  /** The number of the text that the attribute `event.name` has. */
  function eventName(): number {
    for (let index = 0; index < attributes.count; index++) {
      if (attributes.keyIds[index] !== eventNameKey) continue
      if (attributes.peek(reader, index) !== 1) return 0
      return text.intern(reader.bytes, attributes.start, attributes.end)
    }
    return 0
  }

  return (bytes: Uint8Array, tenantId: number, window: TimeWindow, outcome: DecodeOutcome) => {
    if (generation !== text.generation) {
      generation = text.generation
      eventNameKey = text.internText(EVENT_NAME_KEY)
    }
    reader.begin(bytes)
    walkScopes(reader, origins, (origin, end) => {
      if (origin === null) {
        outcome.reject('too_deep')
        return
      }
      const reason = decodeRecord(end, tenantId, origin, window)
      if (reason === null) {
        outcome.accepted++
        outcome.droppedAttributes += attributes.overflow
      } else outcome.reject(reason)
    })
  }
}
