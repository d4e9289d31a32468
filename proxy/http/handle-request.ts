import { injectFault } from './inject-fault.ts'
import type { RequestContext } from './request-context.ts'
import { replyInterrupted } from './respond.ts'
import { routeRequest } from './route-request.ts'
import { runAttempts } from './run-attempts.ts'
import type { Stage } from './stage.ts'

/** The way of a request, in order. */
export const STAGES: readonly Stage[] = [
  // First, because everything else depends on whose policy counts.
  routeRequest,
  // Before any attempt and before the route's time limit runs: an injected fault is not retried and does not use up time (Envoy's filter order).
  injectFault,
  // Balance, breaker, pool and send, again and again as the retry policy says; it answers the caller too, because what is decided
  // at the first byte of a response decides whether there is another attempt.
  runAttempts,
]

/** Leads a request through the stages and hands its record over when it is answered. Never throws. */
export async function handleRequest(context: RequestContext): Promise<void> {
  const { record, proxy } = context
  for (const stage of STAGES) {
    if (context.interruption !== null) {
      replyInterrupted(context)
      break
    }
    if ((await stage(context)) === 'done') break
  }
  record.endMs = proxy.clock.monotonic()
  record.requestBytes = context.body.size()
  context.body.discard()
  proxy.finished(record)
}
