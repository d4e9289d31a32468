import { decodeAttributes, type KeyValue } from '../../model/any-value.ts'
import type { SpanKind, StatusCode } from '../../model/span.ts'
import type { Origin } from './read-origins.ts'
import type { MeshView, Span, SpanEvent, SpanLink } from './trace.ts'

/** A row of `spans` as {@link SPAN_COLUMNS} reads it. */
export interface SpanRow {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly traceState: string
  readonly flagBits: number
  readonly originId: string
  readonly service: string
  readonly spanName: string
  readonly kind: SpanKind
  readonly startNs: string
  readonly durationNs: string
  readonly statusCode: StatusCode
  readonly statusMessage: string
  readonly isError: boolean | number
  readonly httpStatus: number
  readonly httpMethod: string
  readonly grpcStatus: number
  readonly responseFlags: string
  readonly retryAttempt: number
  readonly upstream: string
  readonly upstreamCluster: string
  readonly upstreamEndpoint: string
  readonly attributes: readonly [string, string][]
  readonly attributeKinds: string
  readonly eventsJson: string
  readonly linksJson: string
  readonly droppedAttributes: number
  readonly droppedEvents: number
  readonly droppedLinks: number
}

/** The columns of a {@link SpanRow}. The names differ from the table's, so that conditions mean the table's. */
export const SPAN_COLUMNS = `lower(hex(trace_id)) AS traceId,
  lower(hex(span_id)) AS spanId,
  lower(hex(parent_span_id)) AS parentSpanId,
  trace_state AS traceState,
  flags AS flagBits,
  lower(hex(origin)) AS originId,
  service,
  name AS spanName,
  kind,
  toString(toUnixTimestamp64Nano(ts)) AS startNs,
  toString(duration_ns) AS durationNs,
  status_code AS statusCode,
  status_message AS statusMessage,
  is_error AS isError,
  http_status AS httpStatus,
  http_method AS httpMethod,
  grpc_status AS grpcStatus,
  response_flags AS responseFlags,
  retry_attempt AS retryAttempt,
  upstream,
  upstream_cluster AS upstreamCluster,
  upstream_endpoint AS upstreamEndpoint,
  CAST(attrs, 'Array(Tuple(String, String))') AS attributes,
  attr_kinds AS attributeKinds,
  events AS eventsJson,
  links AS linksJson,
  dropped_attributes AS droppedAttributes,
  dropped_events AS droppedEvents,
  dropped_links AS droppedLinks`

const NO_PARENT = '0'.repeat(16)

/** Turns a stored row back into the span that was received. */
export function decodeSpan(row: SpanRow, origin: Origin): Span {
  return {
    traceId: row.traceId,
    spanId: row.spanId,
    parentSpanId: row.parentSpanId === NO_PARENT ? null : row.parentSpanId,
    traceState: row.traceState,
    flags: row.flagBits,
    service: row.service,
    name: row.spanName,
    kind: row.kind,
    startTimeUnixNano: BigInt(row.startNs),
    durationNanos: BigInt(row.durationNs),
    status: { code: row.statusCode, message: row.statusMessage },
    isError: Boolean(row.isError),
    mesh: decodeMesh(row),
    attributes: decodeAttributes(row.attributes, row.attributeKinds),
    droppedAttributesCount: row.droppedAttributes,
    events: row.eventsJson === '' ? [] : (JSON.parse(row.eventsJson) as StoredEvent[]).map(decodeEvent),
    droppedEventsCount: row.droppedEvents,
    links: row.linksJson === '' ? [] : (JSON.parse(row.linksJson) as StoredLink[]).map(decodeLink),
    droppedLinksCount: row.droppedLinks,
    resource: origin.resource,
    scope: origin.scope,
  }
}

function decodeMesh(row: SpanRow): MeshView {
  const named = (text: string) => (text === '' ? null : text)
  return {
    httpStatus: row.httpStatus === 0 ? null : row.httpStatus,
    httpMethod: named(row.httpMethod),
    grpcStatus: row.grpcStatus === -1 ? null : row.grpcStatus,
    responseFlags: named(row.responseFlags),
    retryAttempt: row.retryAttempt,
    upstream: named(row.upstream),
    upstreamCluster: named(row.upstreamCluster),
    upstreamEndpoint: named(row.upstreamEndpoint),
  }
}

/** OTLP/JSON of an event: what has its default value may be missing. */
interface StoredEvent {
  readonly timeUnixNano?: string
  readonly name?: string
  readonly attributes?: readonly KeyValue[]
  readonly droppedAttributesCount?: number
}

function decodeEvent(event: StoredEvent): SpanEvent {
  return {
    timeUnixNano: BigInt(event.timeUnixNano ?? 0),
    name: event.name ?? '',
    attributes: event.attributes ?? [],
    droppedAttributesCount: event.droppedAttributesCount ?? 0,
  }
}

interface StoredLink {
  readonly traceId?: string
  readonly spanId?: string
  readonly traceState?: string
  readonly attributes?: readonly KeyValue[]
  readonly droppedAttributesCount?: number
  readonly flags?: number
}

function decodeLink(link: StoredLink): SpanLink {
  return {
    traceId: link.traceId ?? '',
    spanId: link.spanId ?? '',
    traceState: link.traceState ?? '',
    attributes: link.attributes ?? [],
    droppedAttributesCount: link.droppedAttributesCount ?? 0,
    flags: link.flags ?? 0,
  }
}
