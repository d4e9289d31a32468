import { type AttemptRecord, flagsText, type RequestRecord } from './request-record.ts'
import type { Attributes, SpanRecord } from './telemetry-record.ts'

/** Whether the spans of a request are sent: sampled at the head, or worth seeing: retried, flagged, failed or slow. */
export function isWorthSending(record: RequestRecord, slowMs: number): boolean {
  return (
    record.isHeadSampled ||
    record.attempts.length > 1 ||
    record.flags.size > 0 ||
    record.status >= 500 ||
    record.status === 0 ||
    record.endMs - record.startMs >= slowMs
  )
}

const LONGEST_TEXT = 1024

/** One server span for the request and one client span for each attempt (OpenTelemetry's HTTP conventions 1.44, Envoy's tags beside them). */
export function requestSpans(record: RequestRecord): readonly SpanRecord[] {
  return [serverSpan(record), ...record.attempts.map((attempt) => clientSpan(record, attempt))]
}

function serverSpan(record: RequestRecord): SpanRecord {
  const { status } = record
  const isError = status >= 500
  return {
    ...contextOf(record),
    spanId: record.spanId,
    parentSpanId: record.parentSpanId,
    name: nameOf(record),
    kind: 'server',
    startMs: record.startMs + record.epochOffsetMs,
    endMs: record.endMs + record.epochOffsetMs,
    isError,
    statusMessage: isError ? record.details : '',
    attributes: {
      ...sharedAttributes(record),
      'http.route': record.pathTemplate === '' ? undefined : record.pathTemplate,
      'http.response.status_code': status === 0 ? undefined : status,
      'error.type': isError ? String(status) : status === 0 ? 'canceled' : undefined,
      'client.address': record.downstreamAddress,
      'user_agent.original': record.userAgent === '' ? undefined : clipped(record.userAgent),
      'rpc.grpc.status_code': record.grpcStatus === -1 ? undefined : record.grpcStatus,
      response_flags: flagsText(record.flags),
      upstream_cluster: record.cluster?.name,
      request_size: record.requestBytes,
      response_size: record.responseBytes,
      'mesh.request.attempts': record.attempts.length,
      'mesh.response.details': record.details,
      'mesh.fault.delay_ms': record.faultDelayMs === 0 ? undefined : record.faultDelayMs,
    },
  }
}

function clientSpan(record: RequestRecord, attempt: AttemptRecord): SpanRecord {
  const { status, address } = attempt
  const isError = attempt.reset !== null || status === 0 || status >= 400
  const at = address.lastIndexOf(':')
  const host = record.cluster?.host ?? record.authority
  return {
    ...contextOf(record),
    spanId: attempt.spanId,
    parentSpanId: record.spanId,
    name: nameOf(record),
    kind: 'client',
    startMs: attempt.startMs + record.epochOffsetMs,
    endMs: attempt.endMs + record.epochOffsetMs,
    isError,
    statusMessage: attempt.reset ?? '',
    attributes: {
      ...sharedAttributes(record),
      'server.address': host,
      'server.port': record.cluster?.port,
      'url.full': `http://${record.authority}${clipped(record.path)}`,
      'http.response.status_code': status === 0 ? undefined : status,
      'http.request.resend_count': attempt.number === 0 ? undefined : attempt.number,
      'error.type': isError ? (attempt.reset ?? String(status)) : undefined,
      'network.peer.address': at === -1 ? undefined : address.slice(0, at).replace(/^\[|\]$/g, ''),
      'network.peer.port': at === -1 ? undefined : Number(address.slice(at + 1)),
      response_flags: attempt.flag ?? '-',
      upstream_cluster: record.cluster?.name,
      'upstream_cluster.name': record.cluster?.name,
      upstream_address: address === '' ? undefined : address,
      'mesh.retry.reason': attempt.retryReason ?? undefined,
      'mesh.retry.backoff_ms': attempt.number === 0 ? undefined : attempt.backoffMs,
      'mesh.retry.decision': attempt.verdict ?? undefined,
      'mesh.retry.withheld': attempt.withheld ?? undefined,
    },
  }
}

function contextOf(record: RequestRecord) {
  const { traceId, traceState, isHeadSampled } = record
  return { traceId, traceState, isHeadSampled }
}

function sharedAttributes(record: RequestRecord): Attributes {
  const at = /:(\d+)$/.exec(record.authority)
  return {
    component: 'proxy',
    'mesh.proxy.role': record.role,
    'http.request.method': record.method,
    'url.scheme': 'http',
    'url.path': clipped(record.path),
    'server.address': at === null ? record.authority : record.authority.slice(0, at.index),
    'server.port': at === null ? 80 : Number(at[1]),
    'network.protocol.version': record.httpVersion,
    'guid:x-request-id': clipped(record.requestId),
  }
}

function nameOf(record: RequestRecord): string {
  return record.pathTemplate === '' ? record.method : `${record.method} ${record.pathTemplate}`
}

function clipped(text: string): string {
  return text.length > LONGEST_TEXT ? text.slice(0, LONGEST_TEXT) : text
}
