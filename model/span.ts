/**
 * Glossary of the vocabulary in this room.
 *
 * span: one timed operation of one service; trace: the spans that share a trace id.
 * resource: what emitted the telemetry (a process, a proxy); scope: the instrumentation library inside it.
 * origin: a pair of resource and scope, stored once per day and referred to by spans, logs and series.
 * attempt: one try of a request by a client; the first try is attempt 0, a retry is 1 or more.
 * edge: caller → callee, drawn from the caller's client span alone.
 * upstream: the callee as its caller names it; cluster: the proxy's name for a group of endpoints;
 * endpoint: one address of a cluster; response flag: Envoy's short code for why a response was made (UO, UF, …).
 */

/** OTLP `SpanKind`, in the order of its numbers (0 … 5). */
export const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const

/** One of {@link SPAN_KINDS}. */
export type SpanKind = (typeof SPAN_KINDS)[number]

/** OTLP `Status.code`, in the order of its numbers (0 … 2). */
export const STATUS_CODES = ['unset', 'ok', 'error'] as const

/** One of {@link STATUS_CODES}. */
export type StatusCode = (typeof STATUS_CODES)[number]
