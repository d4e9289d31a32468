import { changeHeaders } from '../policy/change-headers.ts'
import { OVERRIDE_HEADERS } from '../policy/request-overrides.ts'
import { expectedTimeout } from '../resilience/timeouts.ts'
import { PEER_HEADER } from '../telemetry/peer-identity.ts'
import type { AttemptRecord } from '../telemetry/request-record.ts'
import { traceparentOf } from '../telemetry/trace-context.ts'
import { endToEndHeaders } from './forwarded-headers.ts'
import type { RequestContext } from './request-context.ts'
import type { UpstreamRequest } from './send-attempt.ts'

/** Headers of a request that are set anew, obeyed here, or answered here (`Expect`: node:http has said 100). */
const DROPPED: ReadonlySet<string> = new Set([
  ...OVERRIDE_HEADERS,
  PEER_HEADER,
  'host',
  'expect',
  'traceparent',
  'x-request-id',
  'x-envoy-attempt-count',
  'x-envoy-expected-rq-timeout-ms',
])

/** A trace that begins here has no state. */
const DROPPED_FROM_NEW_TRACE: ReadonlySet<string> = new Set([...DROPPED, 'tracestate'])

/** What one attempt sends: the caller's request, changed as the route says, with the trace, the number and the time left of this attempt. */
export function upstreamRequest(context: RequestContext, attempt: AttemptRecord): UpstreamRequest {
  const { record, forward, request, proxy, listener, timeouts } = context
  const authority = forward?.authority ?? record.authority
  const kept = endToEndHeaders(
    request.rawHeaders,
    record.parentSpanId === '' ? DROPPED_FROM_NEW_TRACE : DROPPED,
  )
  const headers = [
    'host',
    authority,
    ...changeHeaders(kept, forward?.requestHeaders ?? []),
    'x-request-id',
    record.requestId,
    'x-envoy-attempt-count',
    String(attempt.number + 1),
    'traceparent',
    traceparentOf(record.traceId, attempt.spanId, record.isHeadSampled),
  ]
  if (listener.role === 'outbound') headers.push(PEER_HEADER, proxy.peerHeader)
  const expected = expectedTimeout(timeouts, proxy.clock.monotonic() - record.startMs)
  if (expected !== null) headers.push('x-envoy-expected-rq-timeout-ms', String(expected))
  return {
    method: record.method,
    path: forward?.path ?? context.target,
    headers,
    body: () => context.body.open(),
  }
}
