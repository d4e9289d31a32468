import type { z } from 'zod'
import type { Span, SpanEvent, Trace, TraceSummary } from '../../traces/trace.ts'
import { indexList } from './index-list.ts'
import type { traceResponse, traceSummary } from './trace-schemas.ts'

/** A trace as the native API answers it: resources and scopes once, spans refer to them by index. */
export function toTraceResponse(trace: Trace): z.output<typeof traceResponse> {
  const resources = indexList<Span['resource']>()
  const scopes = indexList<Span['scope']>()
  let start: bigint | null = null
  let end: bigint | null = null
  const spans = trace.spans.map((span) => {
    const spanEnd = span.startTimeUnixNano + (span.durationNanos > 0n ? span.durationNanos : 0n)
    if (start === null || span.startTimeUnixNano < start) start = span.startTimeUnixNano
    if (end === null || spanEnd > end) end = spanEnd
    return toSpanResponse(span, resources.indexOf(span.resource), scopes.indexOf(span.scope))
  })
  return {
    traceId: trace.traceId,
    startTimeUnixNano: String(start ?? 0n),
    durationNanos: String((end ?? 0n) - (start ?? 0n)),
    isTruncated: trace.isTruncated,
    resources: resources.items,
    scopes: scopes.items,
    spans,
  } as z.output<typeof traceResponse>
}

function toSpanResponse(span: Span, resource: number, scope: number) {
  return {
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    traceState: span.traceState,
    flags: span.flags,
    service: span.service,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: String(span.startTimeUnixNano),
    durationNanos: String(span.durationNanos),
    status: span.status,
    isError: span.isError,
    mesh: span.mesh,
    attributes: span.attributes,
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map(toEventResponse),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links,
    droppedLinksCount: span.droppedLinksCount,
    resource,
    scope,
  }
}

function toEventResponse(event: SpanEvent) {
  return { ...event, timeUnixNano: String(event.timeUnixNano) }
}

/** A line of a search as the native API answers it. */
export function toSummaryResponse(summary: TraceSummary): z.output<typeof traceSummary> {
  return {
    ...summary,
    startTimeUnixNano: String(summary.startTimeUnixNano),
    durationNanos: String(summary.durationNanos),
    services: [...summary.services],
    matched: {
      ...summary.matched,
      startTimeUnixNano: String(summary.matched.startTimeUnixNano),
      durationNanos: String(summary.matched.durationNanos),
    },
  }
}
