import type { EncodedExport, SpanOffsets } from './encoded-export.ts'
import { type MeshExport, type MeshSpan, REQUEST_ID, REQUEST_SIZE, RESPONSE_SIZE } from './mesh-spans.ts'

const TRACE_ID = Buffer.from('TRACE-ID-TRACE-I')
const SPAN_ID = Buffer.from('SPAN-ID-')
const PARENT_ID = Buffer.from('PARENT--')
const START = 0x1122334455667788n
const END = 0x8877665544332211n

/** One `ExportTraceServiceRequest` in protobuf. */
export function encodeProtobufExport(content: MeshExport): EncodedExport {
  const resource = Buffer.concat(content.resource.map(([key, value]) => attribute(1, key, value)))
  const scope = Buffer.concat([text(1, 'envoy'), text(2, '1.34.0')])
  const spans = content.spans.map((span) => bytesField(2, encodeSpan(span)))
  const scopeSpans = Buffer.concat([bytesField(1, scope), ...spans])
  const bytes = bytesField(1, Buffer.concat([bytesField(1, resource), bytesField(2, scopeSpans)]))
  let at = bytes.length - spans.reduce((sum, span) => sum + span.length, 0)
  const offsets = spans.map((span) => {
    const from = at
    at += span.length
    return offsetsOf(span, from)
  })
  return {
    bytes,
    spans: offsets,
    writeIdWord: (start, word, value) => {
      const to = start + word * 4
      bytes[to] = value >>> 24
      bytes[to + 1] = value >>> 16
      bytes[to + 2] = value >>> 8
      bytes[to + 3] = value
    },
    writeTime: timeWriter(bytes),
  }
}

/** Splits the base once for all spans that share it: big integers are slow. */
function timeWriter(bytes: Buffer): EncodedExport['writeTime'] {
  let base = -1n
  let baseLow = 0
  let baseHigh = 0
  return (at, newBase, offset) => {
    if (newBase !== base) {
      base = newBase
      baseLow = Number(base & 0xffffffffn)
      baseHigh = Number(base >> 32n)
    }
    let low = baseLow - offset
    let high = baseHigh
    if (low < 0) {
      low += 0x100000000
      high--
    } else if (low > 0xffffffff) {
      low -= 0x100000000
      high++
    }
    for (let index = 0; index < 4; index++) {
      bytes[at + index] = low >>> (index * 8)
      bytes[at + 4 + index] = high >>> (index * 8)
    }
  }
}

function encodeSpan(span: MeshSpan): Buffer {
  return Buffer.concat([
    bytesField(1, TRACE_ID),
    bytesField(2, SPAN_ID),
    bytesField(4, PARENT_ID),
    text(5, span.name),
    varintField(6, span.kind),
    fixed64(7, START),
    fixed64(8, END),
    ...span.attributes.map(([key, value]) => attribute(9, key, value)),
    ...(span.isFailed ? [bytesField(15, varintField(3, 2))] : []),
  ])
}

function offsetsOf(span: Buffer, from: number): SpanOffsets {
  const find = (needle: Buffer | string): number => {
    const at = span.indexOf(needle)
    if (at < 0) throw new Error(`Cannot find ${String(needle)} in a span`)
    return from + at
  }
  return {
    traceId: find(TRACE_ID),
    spanId: find(SPAN_ID),
    parentId: find(PARENT_ID),
    start: find(littleEndian(START)),
    end: find(littleEndian(END)),
    requestId: find(REQUEST_ID),
    requestSize: find(REQUEST_SIZE),
    responseSize: find(RESPONSE_SIZE),
  }
}

function attribute(field: number, key: string, value: string): Buffer {
  return bytesField(field, Buffer.concat([text(1, key), bytesField(2, text(1, value))]))
}

function text(field: number, value: string): Buffer {
  return bytesField(field, Buffer.from(value, 'utf8'))
}

function bytesField(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(value.length), value])
}

function varintField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)])
}

function fixed64(field: number, value: bigint): Buffer {
  return Buffer.concat([varint((field << 3) | 1), littleEndian(value)])
}

function littleEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  while (value > 0x7f) {
    bytes.push((value & 0x7f) | 0x80)
    value >>>= 7
  }
  return Buffer.from([...bytes, value])
}
