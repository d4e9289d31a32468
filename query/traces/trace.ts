import type { KeyValue } from '../../model/any-value.ts'
import type { SpanKind, StatusCode } from '../../model/span.ts'

/** What emitted the telemetry. */
export interface Resource {
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
  readonly schemaUrl: string
}

/** The instrumentation library that recorded the telemetry. */
export interface Scope {
  readonly name: string
  readonly version: string
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
  readonly schemaUrl: string
}

/** Something that happened during a span. */
export interface SpanEvent {
  readonly timeUnixNano: bigint
  readonly name: string
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
}

/** A reference to another span. Ids in lower-case hex. */
export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
  readonly traceState: string
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
  readonly flags: number
}

/** What the mesh's attributes of a span say, whatever convention they came in. Absent values are null. */
export interface MeshView {
  readonly httpStatus: number | null
  readonly httpMethod: string | null
  readonly grpcStatus: number | null
  readonly responseFlags: string | null
  /** 0: the first attempt. */
  readonly retryAttempt: number
  readonly upstream: string | null
  readonly upstreamCluster: string | null
  readonly upstreamEndpoint: string | null
}

/** One span as it was received, with what it belongs to. Ids in lower-case hex; times in nanoseconds since the epoch. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** Null for a root span. */
  readonly parentSpanId: string | null
  readonly traceState: string
  readonly flags: number
  readonly service: string
  readonly name: string
  readonly kind: SpanKind
  readonly startTimeUnixNano: bigint
  /** End minus start; negative where the sender's clock went back. */
  readonly durationNanos: bigint
  readonly status: { readonly code: StatusCode; readonly message: string }
  /** Whether the request failed: an error status, or a 5xx that no status speaks about. */
  readonly isError: boolean
  readonly mesh: MeshView
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
  readonly events: readonly SpanEvent[]
  readonly droppedEventsCount: number
  readonly links: readonly SpanLink[]
  readonly droppedLinksCount: number
  readonly resource: Resource
  readonly scope: Scope
}

/** All stored spans of one trace, by start time. */
export interface Trace {
  readonly traceId: string
  readonly spans: readonly Span[]
  /** True when the trace has more spans than one answer may carry. */
  readonly isTruncated: boolean
}

/** One line of a search result. */
export interface TraceSummary {
  readonly traceId: string
  readonly rootService: string | null
  readonly rootName: string | null
  readonly startTimeUnixNano: bigint
  readonly durationNanos: bigint
  readonly spanCount: number
  readonly errorCount: number
  /** Per service of the trace: spans and errors. */
  readonly services: readonly {
    readonly service: string
    readonly spanCount: number
    readonly errorCount: number
  }[]
  /** The matching span that is newest (or slowest), as the search's order has it. */
  readonly matched: {
    readonly spanId: string
    readonly service: string
    readonly name: string
    readonly startTimeUnixNano: bigint
    readonly durationNanos: bigint
    readonly isError: boolean
  }
}
