import type { Resource, Span, SpanEvent, Trace } from '../../traces/trace.ts'
import type {
  JaegerLog,
  JaegerProcess,
  JaegerReference,
  JaegerSpan,
  JaegerTag,
  JaegerTrace,
} from './jaeger-model.ts'
import { toJaegerTag } from './to-jaeger-tag.ts'

/**
 * Turns a trace into Jaeger's older model, as Jaeger does with OTLP: the parent is the first reference and links follow;
 * scope, kind, status and trace state are tags; events are logs with the name in the field `event`. Beyond Jaeger, a
 * failed request whose status says nothing (a 5xx) has `error` too, and what the model cannot show is a warning.
 */
export function toJaegerTrace(trace: Trace): JaegerTrace {
  const processes = collectProcesses()
  const spans = trace.spans.map((span) => toJaegerSpan(span, processes.idOf(span)))
  return {
    traceID: trace.traceId,
    spans,
    processes: processes.all,
    warnings: trace.isTruncated
      ? [`the trace has more spans than one answer may carry; these are the first ${spans.length}`]
      : null,
  }
}

function toJaegerSpan(span: Span, processID: string): JaegerSpan {
  const warnings = warningsOf(span)
  // The flags above the first eight bits are OTLP's own; Jaeger's are the W3C trace flags.
  const flags = span.flags & 0xff
  return {
    traceID: span.traceId,
    spanID: span.spanId,
    ...(flags === 0 ? {} : { flags }),
    operationName: span.name,
    references: referencesOf(span),
    startTime: micros(span.startTimeUnixNano),
    duration: Math.max(0, micros(span.durationNanos)),
    tags: tagsOf(span),
    logs: span.events.map(toJaegerLog),
    processID,
    warnings: warnings.length === 0 ? null : warnings,
  }
}

function referencesOf(span: Span): JaegerReference[] {
  const links = span.links.map(
    (link): JaegerReference => ({ refType: 'FOLLOWS_FROM', traceID: link.traceId, spanID: link.spanId }),
  )
  if (span.parentSpanId === null) return links
  return [{ refType: 'CHILD_OF', traceID: span.traceId, spanID: span.parentSpanId }, ...links]
}

function tagsOf(span: Span): JaegerTag[] {
  const own = span.attributes.map(toJaegerTag)
  const hasOwnError = span.attributes.some(({ key }) => key === 'error')
  return [
    ...textTag('otel.scope.name', span.scope.name),
    ...textTag('otel.scope.version', span.scope.version),
    ...own,
    ...textTag('span.kind', span.kind === 'unspecified' ? '' : span.kind),
    ...textTag('otel.status_code', span.status.code === 'unset' ? '' : span.status.code.toUpperCase()),
    ...(span.isError && !hasOwnError ? [{ key: 'error', type: 'bool', value: true } as const] : []),
    ...textTag('otel.status_description', span.status.message),
    ...textTag('w3c.tracestate', span.traceState),
  ]
}

function textTag(key: string, value: string): JaegerTag[] {
  return value === '' ? [] : [{ key, type: 'string', value }]
}

function toJaegerLog(event: SpanEvent): JaegerLog {
  return {
    timestamp: micros(event.timeUnixNano),
    fields: [...textTag('event', event.name), ...event.attributes.map(toJaegerTag)],
  }
}

function warningsOf(span: Span): string[] {
  const dropped = [
    [span.droppedAttributesCount, 'attributes'],
    [span.droppedEventsCount, 'events'],
    [span.droppedLinksCount, 'links'],
  ] as const
  return [
    ...(span.durationNanos < 0n
      ? [`the span ends ${-span.durationNanos} ns before it starts; its duration is shown as 0`]
      : []),
    ...dropped.flatMap(([count, what]) =>
      count === 0 ? [] : [`the sender dropped ${count} ${what} of this span`],
    ),
  ]
}

function micros(nanos: bigint): number {
  return Number(nanos / 1000n)
}

function collectProcesses(): {
  idOf(span: Span): string
  readonly all: Readonly<Record<string, JaegerProcess>>
} {
  const all: Record<string, JaegerProcess> = {}
  const idsByKey = new Map<string, string>()
  const idsByResource = new Map<Resource, string>()
  return {
    all,
    idOf(span) {
      const known = idsByResource.get(span.resource)
      if (known !== undefined && all[known]?.serviceName === span.service) return known
      const key = JSON.stringify([span.service, span.resource.attributes])
      const id = idsByKey.get(key) ?? `p${idsByKey.size + 1}`
      if (!idsByKey.has(key)) {
        idsByKey.set(key, id)
        const attributes = span.resource.attributes.filter((attribute) => attribute.key !== 'service.name')
        all[id] = { serviceName: span.service, tags: attributes.map(toJaegerTag) }
      }
      idsByResource.set(span.resource, id)
      return id
    },
  }
}
