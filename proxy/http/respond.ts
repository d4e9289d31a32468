import { changeHeaders } from '../policy/change-headers.ts'
import { PEER_HEADER } from '../telemetry/peer-identity.ts'
import { endToEndHeaders } from './forwarded-headers.ts'
import { type LocalReply, resetReply } from './local-reply.ts'
import type { RequestContext } from './request-context.ts'

/** Headers of a response that are said anew or are none of the caller's business. */
const DROPPED: ReadonlySet<string> = new Set([PEER_HEADER, 'x-envoy-upstream-service-time'])

/** Answers by ourselves; nothing may have been sent to the caller before. */
export function sendLocalReply(context: RequestContext, reply: LocalReply): void {
  const { response, record, request } = context
  record.status = reply.status
  record.details = reply.details
  if (reply.flag !== null) record.flags.add(reply.flag)
  const body = request.method === 'HEAD' ? '' : reply.body
  const length = Buffer.byteLength(reply.body)
  record.responseBytes = Buffer.byteLength(body)
  const headers = ['content-length', String(length), ...reply.headers]
  if (length > 0) headers.push('content-type', 'text/plain')
  response.writeHead(reply.status, [
    ...changeHeaders([...headers, ...ownHeaders(context)], context.responseChanges),
  ])
  response.end(body)
}

/** Answers a request that was interrupted before a response began: 504 when its time is over, nothing when the caller left. */
export function replyInterrupted(context: RequestContext): void {
  const { record } = context
  if (context.interruption === 'timeout') {
    sendLocalReply(context, resetReply('global-timeout', '', false))
    return
  }
  record.flags.add('DC')
  record.details = 'downstream_remote_disconnect'
}

/** Begins the answer with the upstream's head. */
export function sendHead(
  context: RequestContext,
  status: number,
  statusText: string,
  rawHeaders: readonly string[],
  serviceTimeMs: number,
): void {
  const { response, record } = context
  record.status = status
  record.details = 'via_upstream'
  const kept = endToEndHeaders(rawHeaders, DROPPED)
  kept.push('x-envoy-upstream-service-time', String(Math.round(serviceTimeMs)), ...ownHeaders(context))
  response.writeHead(status, statusText, [...changeHeaders(kept, context.responseChanges)])
}

/** What proxies tell each other. */
function ownHeaders(context: RequestContext): readonly string[] {
  const { listener, proxy, request } = context
  const isAsked = listener.role === 'inbound' && request.headers[PEER_HEADER] !== undefined
  return isAsked ? [PEER_HEADER, proxy.peerHeader] : []
}
