import type { KeyValue } from '../../model/any-value.ts'
import { SPAN_KINDS, STATUS_CODES } from '../../model/span.ts'
import { groupByOrigin } from './group-by-origin.ts'
import type { Resource, Scope, Span, SpanEvent, SpanLink } from './trace.ts'

/** OTLP `Resource` as JSON. */
export interface ResourceJson {
  readonly attributes?: readonly KeyValue[]
  readonly droppedAttributesCount?: number
}

/** OTLP `InstrumentationScope` as JSON. */
export interface ScopeJson {
  readonly name?: string
  readonly version?: string
  readonly attributes?: readonly KeyValue[]
  readonly droppedAttributesCount?: number
}

/** OTLP `Span.Event` as JSON. */
export interface SpanEventJson {
  readonly timeUnixNano: string
  readonly name: string
  readonly attributes?: readonly KeyValue[]
  readonly droppedAttributesCount?: number
}

/** OTLP `Span.Link` as JSON. */
export interface SpanLinkJson {
  readonly traceId: string
  readonly spanId: string
  readonly traceState?: string
  readonly attributes?: readonly KeyValue[]
  readonly droppedAttributesCount?: number
  readonly flags?: number
}

/** OTLP `Span` as JSON. */
export interface SpanJson {
  readonly traceId: string
  readonly spanId: string
  readonly traceState?: string
  readonly parentSpanId?: string
  readonly flags?: number
  readonly name: string
  readonly kind?: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes?: readonly KeyValue[]
  readonly droppedAttributesCount?: number
  readonly events?: readonly SpanEventJson[]
  readonly droppedEventsCount?: number
  readonly links?: readonly SpanLinkJson[]
  readonly droppedLinksCount?: number
  readonly status: { readonly message?: string; readonly code?: number }
}

/** OTLP `TracesData` as JSON. */
export interface TracesDataJson {
  readonly resourceSpans: readonly {
    readonly resource: ResourceJson
    readonly scopeSpans: readonly {
      readonly scope: ScopeJson
      readonly spans: readonly SpanJson[]
      readonly schemaUrl?: string
    }[]
    readonly schemaUrl?: string
  }[]
}

/**
 * Writes spans as OTLP `TracesData` in the OTLP specification's JSON form: ids hex, enums as numbers, 64-bit integers as
 * decimal strings, bytes base64; fields that hold their default are left out, as proto3 does.
 */
export function encodeOtlpJson(spans: readonly Span[]): TracesDataJson {
  return {
    resourceSpans: groupByOrigin(spans).map(({ resource, scopes }) => ({
      resource: resourceJson(resource),
      scopeSpans: scopes.map((group) => ({
        scope: scopeJson(group.scope),
        spans: group.spans.map(spanJson),
        ...unlessDefault('schemaUrl', group.scope.schemaUrl),
      })),
      ...unlessDefault('schemaUrl', resource.schemaUrl),
    })),
  }
}

function resourceJson(resource: Resource): ResourceJson {
  return {
    ...unlessEmpty('attributes', resource.attributes),
    ...unlessDefault('droppedAttributesCount', resource.droppedAttributesCount),
  }
}

function scopeJson(scope: Scope): ScopeJson {
  return {
    ...unlessDefault('name', scope.name),
    ...unlessDefault('version', scope.version),
    ...unlessEmpty('attributes', scope.attributes),
    ...unlessDefault('droppedAttributesCount', scope.droppedAttributesCount),
  }
}

function spanJson(span: Span): SpanJson {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...unlessDefault('traceState', span.traceState),
    ...unlessDefault('parentSpanId', span.parentSpanId ?? ''),
    ...unlessDefault('flags', span.flags),
    name: span.name,
    ...unlessDefault('kind', SPAN_KINDS.indexOf(span.kind)),
    startTimeUnixNano: span.startTimeUnixNano.toString(),
    endTimeUnixNano: (span.startTimeUnixNano + span.durationNanos).toString(),
    ...unlessEmpty('attributes', span.attributes),
    ...unlessDefault('droppedAttributesCount', span.droppedAttributesCount),
    ...unlessEmpty('events', span.events.map(eventJson)),
    ...unlessDefault('droppedEventsCount', span.droppedEventsCount),
    ...unlessEmpty('links', span.links.map(linkJson)),
    ...unlessDefault('droppedLinksCount', span.droppedLinksCount),
    status: {
      ...unlessDefault('message', span.status.message),
      ...unlessDefault('code', STATUS_CODES.indexOf(span.status.code)),
    },
  }
}

function eventJson(event: SpanEvent): SpanEventJson {
  return {
    timeUnixNano: event.timeUnixNano.toString(),
    name: event.name,
    ...unlessEmpty('attributes', event.attributes),
    ...unlessDefault('droppedAttributesCount', event.droppedAttributesCount),
  }
}

function linkJson(link: SpanLink): SpanLinkJson {
  return {
    traceId: link.traceId,
    spanId: link.spanId,
    ...unlessDefault('traceState', link.traceState),
    ...unlessEmpty('attributes', link.attributes),
    ...unlessDefault('droppedAttributesCount', link.droppedAttributesCount),
    ...unlessDefault('flags', link.flags),
  }
}

function unlessDefault<Key extends string, Value extends string | number>(
  key: Key,
  value: Value,
): { readonly [K in Key]?: Value } {
  return (value === '' || value === 0 ? {} : { [key]: value }) as { readonly [K in Key]?: Value }
}

function unlessEmpty<Key extends string, Item>(
  key: Key,
  items: readonly Item[],
): { readonly [K in Key]?: readonly Item[] } {
  return (items.length === 0 ? {} : { [key]: items }) as { readonly [K in Key]?: readonly Item[] }
}
