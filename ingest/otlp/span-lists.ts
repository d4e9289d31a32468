import type { StringColumn } from '../native/string-column.ts'
import { int64Text, isKeyValueWithinDepth, jsonString, keyValueJson } from './any-value-text.ts'
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT, type WireReader } from './wire-reader.ts'

/**
 * Appends the events whose ranges stand in `ranges` (start, end, start, end, …) as one JSON array in OTLP's form, `''` when
 * there are none. Returns false, with nothing appended, when a value is nested too deeply. Throws MALFORMED_MESSAGE.
 */
export function pushSpanEvents(
  reader: WireReader,
  ranges: Int32Array,
  count: number,
  target: StringColumn,
): boolean {
  return pushList(reader, ranges, count, target, eventJson)
}

/** The same for links. */
export function pushSpanLinks(
  reader: WireReader,
  ranges: Int32Array,
  count: number,
  target: StringColumn,
): boolean {
  return pushList(reader, ranges, count, target, linkJson)
}

type ItemJson = (reader: WireReader, start: number, end: number) => string | null

function pushList(
  reader: WireReader,
  ranges: Int32Array,
  count: number,
  target: StringColumn,
  itemJson: ItemJson,
): boolean {
  if (count === 0) {
    target.pushEmpty()
    return true
  }
  const items: string[] = []
  for (let index = 0; index < count; index++) {
    const item = itemJson(reader, ranges[index * 2] as number, ranges[index * 2 + 1] as number)
    if (item === null) return false
    items.push(item)
  }
  target.pushText(`[${items.join(',')}]`)
  return true
}

function eventJson(reader: WireReader, start: number, end: number): string | null {
  let time = '0'
  let name = '""'
  let dropped = 0
  const attributes: string[] = []
  reader.position = start
  while (reader.position < end) {
    const field = reader.tag(end)
    if (field === 1 && reader.wireType === FIXED64) {
      reader.fixed64(end)
      time = uint64Text(reader.low, reader.high)
    } else if (field === 4 && reader.wireType === VARINT) {
      dropped = reader.varint32(end)
    } else if ((field === 2 || field === 3) && reader.wireType === LENGTH_DELIMITED) {
      const to = reader.enter(end)
      const from = reader.position
      if (field === 2) name = jsonString(reader, from, to)
      else if (!isKeyValueWithinDepth(reader, from, to)) return null
      else attributes.push(keyValueJson(reader, from, to))
      reader.position = to
    } else {
      reader.skip(end, field)
    }
  }
  return `{"timeUnixNano":"${time}","name":${name}${tail(attributes, dropped)}}`
}

function linkJson(reader: WireReader, start: number, end: number): string | null {
  let traceId = ''
  let spanId = ''
  let traceState = ''
  let dropped = 0
  let flags = 0
  const attributes: string[] = []
  reader.position = start
  while (reader.position < end) {
    const field = reader.tag(end)
    if (field === 5 && reader.wireType === VARINT) dropped = reader.varint32(end)
    else if (field === 6 && reader.wireType === FIXED32) flags = reader.fixed32(end)
    else if (field <= 4 && reader.wireType === LENGTH_DELIMITED) {
      const to = reader.enter(end)
      const from = reader.position
      if (field === 1) traceId = hex(reader, from, to)
      else if (field === 2) spanId = hex(reader, from, to)
      else if (field === 3) traceState = `,"traceState":${jsonString(reader, from, to)}`
      else if (!isKeyValueWithinDepth(reader, from, to)) return null
      else attributes.push(keyValueJson(reader, from, to))
      reader.position = to
    } else {
      reader.skip(end, field)
    }
  }
  const flagsText = flags === 0 ? '' : `,"flags":${flags}`
  return `{"traceId":"${traceId}","spanId":"${spanId}"${traceState}${tail(attributes, dropped)}${flagsText}}`
}

function tail(attributes: readonly string[], dropped: number): string {
  const list = attributes.length === 0 ? '' : `,"attributes":[${attributes.join(',')}]`
  return dropped === 0 ? list : `${list},"droppedAttributesCount":${dropped}`
}

function uint64Text(low: number, high: number): string {
  return high < 0x200000 ? int64Text(low, high) : ((BigInt(high) << 32n) | BigInt(low)).toString()
}

function hex(reader: WireReader, start: number, end: number): string {
  return Buffer.from(reader.bytes.buffer, reader.bytes.byteOffset + start, end - start).toString('hex')
}
