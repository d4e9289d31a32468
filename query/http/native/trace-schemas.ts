import { z } from 'zod'
import { SPAN_KINDS, STATUS_CODES } from '../../../model/span.ts'
import { count, nanos } from '../../../runtime/answer-schemas.ts'
import { keyValue, resource, scope } from './otlp-schemas.ts'

const traceId = z.string().regex(/^[0-9a-f]{32}$/)
const spanId = z.string().regex(/^[0-9a-f]{16}$/)

const mesh = z
  .strictObject({
    httpStatus: z.int().nullable(),
    httpMethod: z.string().nullable(),
    grpcStatus: z.int().nullable(),
    responseFlags: z.string().nullable(),
    retryAttempt: count.meta({ description: '0: the first attempt; 1 or more: a retry.' }),
    upstream: z.string().nullable(),
    upstreamCluster: z.string().nullable(),
    upstreamEndpoint: z.string().nullable(),
  })
  .meta({
    id: 'MeshView',
    description: "What the mesh's attributes say, whatever convention they came in; null: nothing.",
  })

const event = z
  .strictObject({
    timeUnixNano: nanos,
    name: z.string(),
    attributes: z.array(keyValue),
    droppedAttributesCount: count,
  })
  .meta({ id: 'SpanEvent' })

const link = z
  .strictObject({
    traceId: z.string(),
    spanId: z.string(),
    traceState: z.string(),
    attributes: z.array(keyValue),
    droppedAttributesCount: count,
    flags: count,
  })
  .meta({ id: 'SpanLink' })

const span = z
  .strictObject({
    spanId,
    parentSpanId: spanId.nullable(),
    traceState: z.string(),
    flags: count,
    service: z.string(),
    name: z.string(),
    kind: z.enum(SPAN_KINDS),
    startTimeUnixNano: nanos,
    durationNanos: nanos,
    status: z.strictObject({ code: z.enum(STATUS_CODES), message: z.string() }),
    isError: z.boolean(),
    mesh,
    attributes: z.array(keyValue),
    droppedAttributesCount: count,
    events: z.array(event),
    droppedEventsCount: count,
    links: z.array(link),
    droppedLinksCount: count,
    resource: count.meta({ description: 'Index in `resources`.' }),
    scope: count.meta({ description: 'Index in `scopes`.' }),
  })
  .meta({ id: 'Span' })

/** The answer of `/api/traces/{traceId}`. */
export const traceResponse = z
  .strictObject({
    traceId,
    startTimeUnixNano: nanos,
    durationNanos: nanos,
    isTruncated: z.boolean().meta({ description: 'True: the trace has more spans than are shown.' }),
    resources: z.array(resource),
    scopes: z.array(scope),
    spans: z.array(span).meta({ description: 'By start time.' }),
  })
  .meta({ id: 'Trace' })

/** One line of a search. */
export const traceSummary = z
  .strictObject({
    traceId,
    rootService: z.string().nullable(),
    rootName: z.string().nullable(),
    startTimeUnixNano: nanos,
    durationNanos: nanos,
    spanCount: count,
    errorCount: count,
    services: z.array(z.strictObject({ service: z.string(), spanCount: count, errorCount: count })),
    matched: z
      .strictObject({
        spanId,
        service: z.string(),
        name: z.string(),
        startTimeUnixNano: nanos,
        durationNanos: nanos,
        isError: z.boolean(),
      })
      .meta({ description: 'The newest (or slowest) span that matches.' }),
  })
  .meta({ id: 'TraceSummary' })

/** The answer of `/api/traces`. */
export const tracesResponse = z
  .strictObject({
    traces: z.array(traceSummary),
    cursor: z.string().nullable().meta({ description: 'For the next page; null: this is the last one.' }),
    isPartial: z
      .boolean()
      .meta({ description: 'True: the page is shorter than asked although more may follow.' }),
  })
  .meta({ id: 'TracePage' })

/** The answer of `/api/traces/heatmap`. */
export const heatmapResponse = z
  .strictObject({
    stepMs: count.meta({ description: 'Width of a column.' }),
    source: z.enum(['roll-ups', 'spans']),
    cells: z.array(
      z.strictObject({
        timeMs: z.int().meta({ description: 'Start of the column, milliseconds since the epoch.' }),
        minDurationNanos: nanos,
        maxDurationNanos: nanos,
        spanCount: count,
        errorCount: count,
      }),
    ),
  })
  .meta({ id: 'Heatmap' })
