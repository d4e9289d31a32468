import { SPAN_KINDS, STATUS_CODES } from '../../model/span.ts'
import type { MeshView, Span } from '../../query/traces/trace.ts'
import type { Storage } from '../../storage/storage.ts'
import { insertColumns, insertOrigins, originId } from './insert-origins.ts'
import { storedAttributes } from './stored-attributes.ts'

/** A span to store; what is left out is empty, `kind` internal, `tenant` `default`, `durationNanos` 1 ms. */
export interface TestSpan
  extends Partial<
    Omit<Span, 'traceId' | 'spanId' | 'service' | 'startTimeUnixNano' | 'mesh' | 'resource' | 'scope'>
  > {
  readonly tenant?: string
  /** 32 hex digits, or fewer: zeros are put in front. */
  readonly traceId: string
  /** 16 hex digits, or fewer. */
  readonly spanId: string
  readonly service: string
  readonly startTimeUnixNano: bigint
  readonly mesh?: Partial<MeshView>
  readonly resource?: Partial<Span['resource']>
  readonly scope?: Partial<Span['scope']>
}

/** Stores spans as ingest does, by the Native format, with their origins and attribute keys. */
export async function insertSpans(storage: Storage, spans: readonly TestSpan[]): Promise<void> {
  const rows = spans.map((span) => ({
    span,
    attributes: storedAttributes(span.attributes ?? []),
    origin: {
      tenant: span.tenant ?? 'default',
      service: span.service,
      resource: span.resource,
      scope: span.scope,
      timeUnixNano: span.startTimeUnixNano,
    },
  }))
  const column = (name: string, type: string, value: (row: (typeof rows)[number]) => unknown) => ({
    name,
    type,
    values: rows.map(value),
  })
  await insertOrigins(
    storage,
    rows.map((row) => row.origin),
  )
  await insertColumns(storage, 'spans', [
    column('tenant', 'String', (row) => row.origin.tenant),
    column('ts', "DateTime64(9, 'UTC')", ({ span }) => span.startTimeUnixNano),
    column('trace_id', 'FixedString(16)', ({ span }) => span.traceId),
    column('span_id', 'FixedString(8)', ({ span }) => span.spanId),
    column('parent_span_id', 'FixedString(8)', ({ span }) => span.parentSpanId ?? ''),
    column('trace_state', 'String', ({ span }) => span.traceState ?? ''),
    column('flags', 'UInt32', ({ span }) => span.flags ?? 0),
    column('origin', 'FixedString(16)', (row) => originId(row.origin)),
    column('service', 'String', ({ span }) => span.service),
    column('name', 'String', ({ span }) => span.name ?? ''),
    column('kind', 'Int8', ({ span }) => SPAN_KINDS.indexOf(span.kind ?? 'internal')),
    column('duration_ns', 'Int64', ({ span }) => span.durationNanos ?? 1_000_000n),
    column('status_code', 'Int8', ({ span }) => STATUS_CODES.indexOf(span.status?.code ?? 'unset')),
    column('status_message', 'String', ({ span }) => span.status?.message ?? ''),
    column('is_error', 'Bool', ({ span }) => span.isError ?? span.status?.code === 'error'),
    column('http_status', 'UInt16', ({ span }) => span.mesh?.httpStatus ?? 0),
    column('http_method', 'String', ({ span }) => span.mesh?.httpMethod ?? ''),
    column('grpc_status', 'Int16', ({ span }) => span.mesh?.grpcStatus ?? -1),
    column('response_flags', 'String', ({ span }) => span.mesh?.responseFlags ?? ''),
    column('retry_attempt', 'UInt16', ({ span }) => span.mesh?.retryAttempt ?? 0),
    column('upstream', 'String', ({ span }) => span.mesh?.upstream ?? ''),
    column('upstream_cluster', 'String', ({ span }) => span.mesh?.upstreamCluster ?? ''),
    column('upstream_endpoint', 'String', ({ span }) => span.mesh?.upstreamEndpoint ?? ''),
    column('attrs', 'Map(String, String)', (row) => row.attributes.pairs),
    column('attr_kinds', 'String', (row) => row.attributes.kinds),
    column('events', 'String', ({ span }) => eventsJson(span.events ?? [])),
    column('links', 'String', ({ span }) => linksJson(span.links ?? [])),
    column('dropped_attributes', 'UInt32', ({ span }) => span.droppedAttributesCount ?? 0),
    column('dropped_events', 'UInt32', ({ span }) => span.droppedEventsCount ?? 0),
    column('dropped_links', 'UInt32', ({ span }) => span.droppedLinksCount ?? 0),
  ])
  await insertAttributeKeys(storage, spans)
}

async function insertAttributeKeys(storage: Storage, spans: readonly TestSpan[]): Promise<void> {
  const keys = spans.flatMap((span) => [
    ...(span.attributes ?? []).map((attribute) => ({ span, attribute, level: 1 })),
    ...(span.resource?.attributes ?? []).map((attribute) => ({ span, attribute, level: 2 })),
    ...(span.scope?.attributes ?? []).map((attribute) => ({ span, attribute, level: 3 })),
  ])
  if (keys.length === 0) return
  await insertColumns(storage, 'attribute_keys', [
    { name: 'tenant', type: 'String', values: keys.map(({ span }) => span.tenant ?? 'default') },
    {
      name: 'day',
      type: 'Date',
      values: keys.map(({ span }) => span.startTimeUnixNano / 86_400_000_000_000n),
    },
    { name: 'level', type: 'Int8', values: keys.map(({ level }) => level) },
    { name: 'key', type: 'String', values: keys.map(({ attribute }) => attribute.key) },
    {
      name: 'kind',
      type: 'String',
      values: keys.map(({ attribute }) => storedAttributes([attribute]).kinds || 's'),
    },
  ])
}

function eventsJson(events: NonNullable<TestSpan['events']>): string {
  if (events.length === 0) return ''
  return JSON.stringify(
    events.map(({ timeUnixNano, name, attributes, droppedAttributesCount }) => ({
      timeUnixNano: String(timeUnixNano),
      name,
      attributes,
      ...(droppedAttributesCount === 0 ? {} : { droppedAttributesCount }),
    })),
  )
}

function linksJson(links: NonNullable<TestSpan['links']>): string {
  if (links.length === 0) return ''
  return JSON.stringify(
    links.map(({ droppedAttributesCount, ...link }) => ({
      ...link,
      ...(droppedAttributesCount === 0 ? {} : { droppedAttributesCount }),
    })),
  )
}
