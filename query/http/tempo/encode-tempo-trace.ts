import { createProtobufWriter } from '../../../runtime/protobuf-writer.ts'
import { encodeOtlpProtobuf } from '../../traces/encode-otlp-protobuf.ts'
import type { Trace } from '../../traces/trace.ts'
import { toTempoJson } from './to-tempo-json.ts'

/** `TraceByIDResponse.status`: the trace is not whole. */
const PARTIAL = 1

/** What a reader of a trace that was cut is told. */
function partialMessage(trace: Trace): string {
  return `the trace has more spans than one answer may carry; these are the first ${trace.spans.length}`
}

/** Tempo's `Trace` (API v1): OTLP's `TracesData` on the wire, `batches` in JSON. */
export const tempoTraceV1 = {
  protobuf: (trace: Trace): Uint8Array => encodeOtlpProtobuf(trace.spans),
  json: (trace: Trace): unknown => ({ batches: toTempoJson(trace.spans) }),
}

/** Tempo's `TraceByIDResponse` (API v2): the trace with metrics and, where it was cut, status and message. */
export const tempoTraceV2 = {
  protobuf(trace: Trace): Uint8Array {
    const writer = createProtobufWriter()
    writer.bytes(1, encodeOtlpProtobuf(trace.spans))
    writer.message(2, () => {})
    if (trace.isTruncated) {
      writer.varint(3, PARTIAL)
      writer.string(4, partialMessage(trace))
    }
    return writer.finish()
  },
  json: (trace: Trace): unknown => ({
    trace: { resourceSpans: toTempoJson(trace.spans) },
    metrics: {},
    ...(trace.isTruncated ? { status: 'PARTIAL', message: partialMessage(trace) } : {}),
  }),
}
