import type { StringColumn } from '../native/string-column.ts'
import { FIXED64, LENGTH_DELIMITED, VARINT, type WireReader } from './wire-reader.ts'

// Field numbers of opentelemetry.proto.common.v1.AnyValue and KeyValue.
const STRING = 1
const BOOL = 2
const INT = 3
const DOUBLE = 4
const ARRAY = 5
const KVLIST = 6
const BYTES = 7

/** Letters of `AttributeKind` as character codes. */
export const KIND_STRING = 0x73
const KIND_INT = 0x69
const KIND_DOUBLE = 0x64
const KIND_BOOL = 0x62
const KIND_BYTES = 0x79
const KIND_ARRAY = 0x61
const KIND_KVLIST = 0x6d
const KIND_EMPTY = 0x65

const doubleBits = new DataView(new ArrayBuffer(8))

/** How deep arrays and key-value lists may be nested inside one value. */
export const MAX_VALUE_DEPTH = 32

/**
 * Appends the AnyValue in `[start, end)` to `values` in stored form (see `model/any-value.ts`) and returns the letter of
 * its kind as a character code. Throws MALFORMED_MESSAGE. The reader's position is undefined afterwards.
 */
export function pushAnyValue(reader: WireReader, start: number, end: number, values: StringColumn): number {
  reader.position = start
  let kind = KIND_EMPTY
  let from = 0
  let to = 0
  while (reader.position < end) {
    const field = reader.tag(end)
    if (field === STRING && reader.wireType === LENGTH_DELIMITED) {
      to = reader.enter(end)
      from = reader.position
      reader.position = to
      kind = KIND_STRING
    } else if (field === INT && reader.wireType === VARINT) {
      reader.varint64(end)
      kind = KIND_INT
    } else if (field === BOOL && reader.wireType === VARINT) {
      reader.varint64(end)
      kind = KIND_BOOL
    } else if (field === DOUBLE && reader.wireType === FIXED64) {
      reader.fixed64(end)
      kind = KIND_DOUBLE
    } else if (
      (field === ARRAY || field === KVLIST || field === BYTES) &&
      reader.wireType === LENGTH_DELIMITED
    ) {
      to = reader.enter(end)
      from = reader.position
      reader.position = to
      kind = field === ARRAY ? KIND_ARRAY : field === KVLIST ? KIND_KVLIST : KIND_BYTES
    } else {
      reader.skip(end, field)
    }
  }
  switch (kind) {
    case KIND_STRING:
      values.pushUtf8(reader.bytes, from, to)
      break
    case KIND_INT:
      if (reader.high === 0 && reader.low < 0x80000000) values.pushDecimal(reader.low)
      else values.pushAscii(int64Text(reader.low, reader.high))
      break
    case KIND_BOOL:
      values.pushAscii(reader.low !== 0 || reader.high !== 0 ? 'true' : 'false')
      break
    case KIND_DOUBLE:
      values.pushAscii(doubleText(toDouble(reader.low, reader.high)))
      break
    case KIND_BYTES:
      values.pushAscii(slice(reader, from, to).toString('base64'))
      break
    case KIND_ARRAY:
    case KIND_KVLIST:
      values.pushText(anyValueJson(reader, start, end))
      break
    default:
      values.pushEmpty()
  }
  return kind
}

/** The AnyValue in `[start, end)` as OTLP JSON text, members in one order whatever the sender's was. */
export function anyValueJson(reader: WireReader, start: number, end: number): string {
  reader.position = start
  let text = '{}'
  while (reader.position < end) {
    const field = reader.tag(end)
    const { wireType } = reader
    if (field === INT && wireType === VARINT) {
      reader.varint64(end)
      text = `{"intValue":"${int64Text(reader.low, reader.high)}"}`
    } else if (field === BOOL && wireType === VARINT) {
      reader.varint64(end)
      text = `{"boolValue":${reader.low !== 0 || reader.high !== 0}}`
    } else if (field === DOUBLE && wireType === FIXED64) {
      reader.fixed64(end)
      const value = toDouble(reader.low, reader.high)
      text = `{"doubleValue":${Number.isFinite(value) ? doubleText(value) : `"${value}"`}}`
    } else if (wireType === LENGTH_DELIMITED && field <= BYTES) {
      const to = reader.enter(end)
      const from = reader.position
      if (field === STRING) text = `{"stringValue":${jsonString(reader, from, to)}}`
      else if (field === BYTES) text = `{"bytesValue":"${slice(reader, from, to).toString('base64')}"}`
      else if (field === ARRAY)
        text = `{"arrayValue":{"values":[${listJson(reader, from, to, anyValueJson)}]}}`
      else if (field === KVLIST)
        text = `{"kvlistValue":{"values":[${listJson(reader, from, to, keyValueJson)}]}}`
      reader.position = to
    } else {
      reader.skip(end, field)
    }
  }
  return text
}

/** The KeyValue in `[start, end)` as OTLP JSON text. */
export function keyValueJson(reader: WireReader, start: number, end: number): string {
  reader.position = start
  let key = '""'
  let value = '{}'
  while (reader.position < end) {
    const field = reader.tag(end)
    if (field <= 2 && reader.wireType === LENGTH_DELIMITED) {
      const to = reader.enter(end)
      const from = reader.position
      if (field === 1) key = jsonString(reader, from, to)
      else value = anyValueJson(reader, from, to)
      reader.position = to
    } else {
      reader.skip(end, field)
    }
  }
  return `{"key":${key},"value":${value}}`
}

/** True when arrays and key-value lists in the AnyValue `[start, end)` are nested at most {@link MAX_VALUE_DEPTH} deep. */
export function isWithinDepth(reader: WireReader, start: number, end: number, depth = 0): boolean {
  if (depth > MAX_VALUE_DEPTH) return false
  reader.position = start
  while (reader.position < end) {
    const field = reader.tag(end)
    if ((field === ARRAY || field === KVLIST) && reader.wireType === LENGTH_DELIMITED) {
      const to = reader.enter(end)
      if (!areElementsWithinDepth(reader, reader.position, to, field === KVLIST, depth + 1)) return false
      reader.position = to
    } else {
      reader.skip(end, field)
    }
  }
  return true
}

function areElementsWithinDepth(
  reader: WireReader,
  start: number,
  end: number,
  isKeyValue: boolean,
  depth: number,
): boolean {
  reader.position = start
  while (reader.position < end) {
    const field = reader.tag(end)
    if (field !== 1 || reader.wireType !== LENGTH_DELIMITED) {
      reader.skip(end, field)
      continue
    }
    const to = reader.enter(end)
    const from = reader.position
    const isGood = isKeyValue
      ? isKeyValueWithinDepth(reader, from, to, depth)
      : isWithinDepth(reader, from, to, depth)
    if (!isGood) return false
    reader.position = to
  }
  return true
}

/** The same for the value of the KeyValue in `[start, end)`: only it can be nested. */
export function isKeyValueWithinDepth(reader: WireReader, start: number, end: number, depth = 0): boolean {
  reader.position = start
  while (reader.position < end) {
    const field = reader.tag(end)
    if (field === 2 && reader.wireType === LENGTH_DELIMITED) {
      const to = reader.enter(end)
      if (!isWithinDepth(reader, reader.position, to, depth)) return false
      reader.position = to
    } else {
      reader.skip(end, field)
    }
  }
  return true
}

/** An int64 given as two halves, in decimal. */
export function int64Text(low: number, high: number): string {
  if (high < 0x200000) return String(high * 0x100000000 + low)
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)).toString()
}

/** The bits of a double given as two halves, as a number. */
export function toDouble(low: number, high: number): number {
  doubleBits.setUint32(0, high)
  doubleBits.setUint32(4, low)
  return doubleBits.getFloat64(0)
}

/** JSON text of the UTF-8 in `[start, end)`; ill-formed sequences become U+FFFD. */
export function jsonString(reader: WireReader, start: number, end: number): string {
  return JSON.stringify(slice(reader, start, end).toString('utf8'))
}

/** The elements of field 1 in `[start, end)`, each as JSON text, separated by commas. */
function listJson(
  reader: WireReader,
  start: number,
  end: number,
  elementJson: (reader: WireReader, start: number, end: number) => string,
): string {
  reader.position = start
  const elements: string[] = []
  while (reader.position < end) {
    const field = reader.tag(end)
    if (field === 1 && reader.wireType === LENGTH_DELIMITED) {
      const to = reader.enter(end)
      elements.push(elementJson(reader, reader.position, to))
      reader.position = to
    } else {
      reader.skip(end, field)
    }
  }
  return elements.join(',')
}

function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function slice(reader: WireReader, start: number, end: number): Buffer {
  return Buffer.from(reader.bytes.buffer, reader.bytes.byteOffset + start, end - start)
}
