import { SPAN_KINDS, STATUS_CODES } from '../../../model/span.ts'
import { encodeOtlpJson, type TracesDataJson } from '../../traces/encode-otlp-json.ts'
import type { Span } from '../../traces/trace.ts'

/**
 * Writes spans as Tempo does in JSON: the resource spans of OTLP in protobuf's canonical JSON, which is not OTLP's: ids are
 * base64 and enums are names (`SPAN_KIND_SERVER`, `STATUS_CODE_ERROR`).
 */
export function toTempoJson(spans: readonly Span[]): readonly unknown[] {
  return encodeOtlpJson(spans).resourceSpans.map((resourceSpans) => ({
    ...resourceSpans,
    scopeSpans: resourceSpans.scopeSpans.map((scopeSpans) => ({
      ...scopeSpans,
      spans: scopeSpans.spans.map(spanJson),
    })),
  }))
}

type SpanJson = TracesDataJson['resourceSpans'][number]['scopeSpans'][number]['spans'][number]

function spanJson(span: SpanJson): unknown {
  return {
    ...span,
    traceId: base64(span.traceId),
    spanId: base64(span.spanId),
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: base64(span.parentSpanId) }),
    ...(span.kind === undefined ? {} : { kind: `SPAN_KIND_${SPAN_KINDS[span.kind]?.toUpperCase()}` }),
    ...(span.links === undefined
      ? {}
      : {
          links: span.links.map((link) => ({
            ...link,
            traceId: base64(link.traceId),
            spanId: base64(link.spanId),
          })),
        }),
    status: {
      ...span.status,
      ...(span.status.code === undefined
        ? {}
        : { code: `STATUS_CODE_${STATUS_CODES[span.status.code]?.toUpperCase()}` }),
    },
  }
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64')
}
