import { type EncodedExport, type SpanOffsets, writeDigits, writeHex } from './encoded-export.ts'
import { type MeshExport, type MeshSpan, REQUEST_ID, REQUEST_SIZE, RESPONSE_SIZE } from './mesh-spans.ts'

const TRACE_ID = 'T'.repeat(32)
const SPAN_ID = 'S'.repeat(16)
const PARENT_ID = 'P'.repeat(16)
const START = '1111111111111111111'
const END = '2222222222222222222'

/** One `ExportTraceServiceRequest` in OTLP/JSON. */
export function encodeJsonExport(content: MeshExport): EncodedExport {
  const spans = content.spans.map((span) => Buffer.from(JSON.stringify(spanObject(span))))
  const resource = { attributes: content.resource.map(attributeObject) }
  const scope = { name: 'envoy', version: '1.34.0' }
  const head = Buffer.from(
    `{"resourceSpans":[{"resource":${JSON.stringify(resource)},"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[`,
  )
  const comma = Buffer.from(',')
  const pieces: Buffer[] = [head]
  const offsets: SpanOffsets[] = []
  let at = head.length
  for (const [index, span] of spans.entries()) {
    if (index > 0) {
      pieces.push(comma)
      at += comma.length
    }
    offsets.push(offsetsOf(span, at))
    pieces.push(span)
    at += span.length
  }
  pieces.push(Buffer.from(']}]}]}'))
  const bytes = Buffer.concat(pieces)
  return {
    bytes,
    spans: offsets,
    writeIdWord: (start, word, value) => writeHex(bytes, start + word * 8, value),
    writeTime: (start, base, offset) => {
      // Whole seconds and nanoseconds apart: both fit a double.
      let seconds = Number(base / 1_000_000_000n)
      let nanos = Number(base % 1_000_000_000n) - offset
      while (nanos < 0) {
        nanos += 1_000_000_000
        seconds--
      }
      if (nanos >= 1_000_000_000) {
        nanos -= 1_000_000_000
        seconds++
      }
      writeDigits(bytes, start, seconds, 10)
      writeDigits(bytes, start + 10, nanos, 9)
    },
  }
}

function spanObject(span: MeshSpan) {
  return {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    parentSpanId: PARENT_ID,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: START,
    endTimeUnixNano: END,
    attributes: span.attributes.map(attributeObject),
    ...(span.isFailed ? { status: { code: 2 } } : {}),
  }
}

function attributeObject([key, value]: readonly [string, string]) {
  return { key, value: { stringValue: value } }
}

function offsetsOf(span: Buffer, from: number): SpanOffsets {
  const find = (needle: string): number => {
    const at = span.indexOf(needle)
    if (at < 0) throw new Error(`Cannot find ${needle} in a span`)
    return from + at
  }
  return {
    traceId: find(TRACE_ID),
    spanId: find(SPAN_ID),
    parentId: find(PARENT_ID),
    start: find(START),
    end: find(END),
    requestId: find(REQUEST_ID),
    requestSize: find(REQUEST_SIZE),
    responseSize: find(RESPONSE_SIZE),
  }
}
