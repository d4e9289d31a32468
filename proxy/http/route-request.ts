import { matchRoute, type RouteDecision } from '../policy/match-route.ts'
import { applyRequestOverrides } from '../policy/request-overrides.ts'
import { resolveTimeouts } from '../resilience/timeouts.ts'
import { badRequest, NO_ROUTE } from './local-reply.ts'
import type { RequestContext } from './request-context.ts'
import { sendLocalReply } from './respond.ts'
import type { StageVerdict } from './stage.ts'

/** Decides where a request goes. An inbound listener has one destination: the service that it stands before. */
export function routeRequest(context: RequestContext): StageVerdict {
  const { record, listener, target } = context
  if (record.authority === '' || !target.startsWith('/')) {
    // `OPTIONS *` asks about the proxy itself; CONNECT never comes here.
    sendLocalReply(context, badRequest('missing_host_or_path'))
    return 'done'
  }
  if (hostCount(context.request.rawHeaders) > 1) {
    // RFC 9112 section 3.2; node:http would take the first, somebody behind us perhaps the last.
    sendLocalReply(context, badRequest('multiple_hosts'))
    return 'done'
  }
  if (listener.role === 'inbound') {
    context.cluster = listener.cluster
    record.cluster = listener.cluster.policy
    record.routeName = 'default'
    return 'continue'
  }
  return take(context, decide(context))
}

function decide(context: RequestContext): RouteDecision {
  const { proxy, request, target, record } = context
  return matchRoute(
    proxy.policy(),
    {
      method: record.method,
      path: target,
      authority: record.authority,
      scheme: 'http',
      header: (name) => headerText(request.headers[name]),
    },
    proxy.random,
  )
}

function take(context: RequestContext, decision: RouteDecision): StageVerdict {
  const { record, proxy, request } = context
  if (decision.kind === 'none') {
    sendLocalReply(context, NO_ROUTE)
    return 'done'
  }
  record.routeName = decision.route.name
  record.pathTemplate = decision.pathTemplate
  context.responseChanges = decision.responseHeaders
  if (decision.kind === 'reply') {
    const { status, body, location } = decision
    const headers = location === null ? [] : ['location', location]
    sendLocalReply(context, { status, body, flag: null, details: 'direct_response', headers })
    return 'done'
  }
  const cluster = proxy.cluster(decision.cluster.name)
  if (cluster === null) {
    sendLocalReply(context, NO_ROUTE)
    return 'done'
  }
  const asked = { retry: decision.retry, timeoutMs: decision.route.timeoutMs }
  // Who calls an outbound listener is the proxy's own service, so its headers are obeyed, as Envoy does with internal requests.
  const overridden = applyRequestOverrides(asked, (name) => headerText(request.headers[name]))
  context.forward = decision
  context.cluster = cluster
  context.retry = overridden.retry
  context.timeouts = resolveTimeouts(overridden.timeoutMs, overridden.retry?.perTryTimeoutMs ?? 0)
  record.cluster = cluster.policy
  return 'continue'
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value
}

function hostCount(raw: readonly string[]): number {
  let found = 0
  for (let at = 0; at < raw.length; at += 2) if (raw[at]?.toLowerCase() === 'host') found += 1
  return found
}
