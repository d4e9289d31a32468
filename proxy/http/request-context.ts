import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ForwardDecision } from '../policy/match-route.ts'
import type { HeaderChange, RetryPolicy } from '../policy/proxy-policy.ts'
import { NO_TIMEOUTS, type Timeouts } from '../resilience/timeouts.ts'
import { PEER_HEADER, UNKNOWN_PEER } from '../telemetry/peer-identity.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'
import { newSpanId, readTraceContext } from '../telemetry/trace-context.ts'
import type { ClusterRuntime } from './cluster-runtime.ts'
import type { ProxyRuntime } from './proxy-runtime.ts'
import { createRequestBody, type RequestBody } from './request-body.ts'

/** Why a request cannot go on. */
export type Interruption = 'timeout' | 'downstream'

/** One request on its way through the stages. Each stage fills in what the next ones need. */
export interface RequestContext {
  readonly proxy: ProxyRuntime
  readonly listener: ListenerRole
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Path and query in origin form. */
  readonly target: string
  readonly record: RequestRecord
  readonly body: RequestBody
  /** Set by the stage `route`. */
  forward: ForwardDecision | null
  cluster: ClusterRuntime | null
  retry: RetryPolicy | null
  timeouts: Timeouts
  responseChanges: readonly HeaderChange[]
  /** What ended the request early; null: nothing yet. */
  interruption: Interruption | null
  /** Called when the request is interrupted, by the stage under way. */
  onInterrupt: (() => void) | null
}

/** On which side of its service a listener stands. */
export type ListenerRole =
  | { readonly role: 'outbound' }
  | { readonly role: 'inbound'; readonly cluster: ClusterRuntime }

/** Opens the context of a request. */
export function createRequestContext(
  proxy: ProxyRuntime,
  listener: ListenerRole,
  request: IncomingMessage,
  response: ServerResponse,
): RequestContext {
  const { headers } = request
  const { authority, target } = splitTarget(request)
  const trace = readTraceContext(
    textOf(headers['traceparent']),
    textOf(headers['tracestate']),
    proxy.settings.sampling,
    proxy.random,
  )
  const { isSampled, ...place } = trace
  const startMs = proxy.clock.monotonic()
  const record: RequestRecord = {
    ...place,
    role: listener.role,
    spanId: newSpanId(),
    isHeadSampled: isSampled,
    requestId: textOf(headers['x-request-id']) ?? proxy.newRequestId(),
    method: request.method ?? '',
    path: target.split('?', 1)[0] ?? '',
    authority,
    httpVersion: request.httpVersion,
    userAgent: headers['user-agent'] ?? '',
    downstreamAddress: request.socket.remoteAddress ?? '',
    isGrpc: headers['content-type']?.startsWith('application/grpc') === true,
    startMs,
    epochOffsetMs: proxy.clock.now() - startMs,
    endMs: startMs,
    status: 0,
    grpcStatus: -1,
    flags: new Set(),
    details: '',
    routeName: '',
    pathTemplate: '',
    cluster: null,
    requestBytes: 0,
    responseBytes: 0,
    peer: listener.role === 'inbound' ? proxy.readPeer(textOf(headers[PEER_HEADER])) : UNKNOWN_PEER,
    faultDelayMs: 0,
    attempts: [],
  }
  return {
    proxy,
    listener,
    request,
    response,
    target,
    record,
    body: createRequestBody(request),
    forward: null,
    cluster: null,
    retry: null,
    timeouts: NO_TIMEOUTS,
    responseChanges: [],
    interruption: null,
    onInterrupt: null,
  }
}

/** Ends a request early, once; the stage under way cleans up. */
export function interrupt(context: RequestContext, why: Interruption): void {
  if (context.interruption !== null) return
  context.interruption = why
  context.onInterrupt?.()
}

/** `GET http://host/path` is how a client speaks to a proxy that it was told of: the host there counts (RFC 9112 section 3.2.2). */
function splitTarget(request: IncomingMessage): { readonly authority: string; readonly target: string } {
  const url = request.url ?? ''
  const absolute = /^http:\/\/([^/?#]+)([^#]*)/i.exec(url)
  if (absolute === null) return { authority: request.headers.host ?? '', target: url }
  const rest = absolute[2] ?? ''
  return { authority: absolute[1] ?? '', target: rest.startsWith('/') ? rest : `/${rest}` }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value
}
