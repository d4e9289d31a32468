import { rateLimitedBackoff, retryBackoff } from '../resilience/retry-backoff.ts'
import { initialRetryState, type RetryReason } from '../resilience/should-retry.ts'
import type { AttemptRecord } from '../telemetry/request-record.ts'
import { newSpanId } from '../telemetry/trace-context.ts'
import type { ClusterRuntime, EndpointRuntime } from './cluster-runtime.ts'
import { NO_HEALTHY_UPSTREAM } from './local-reply.ts'
import { pause } from './pause.ts'
import { interrupt, type RequestContext } from './request-context.ts'
import { replyInterrupted, sendLocalReply } from './respond.ts'
import { type AttemptWalk, runAttempt } from './run-attempt.ts'
import type { StageVerdict } from './stage.ts'

const NOBODY: ReadonlySet<string> = new Set()

/**
 * Makes attempts until one is answered or the retry policy says no. The route's time limit runs from the moment the
 * caller has sent its whole request to the end of the response, back-off included.
 */
export async function runAttempts(context: RequestContext): Promise<StageVerdict> {
  const { cluster } = context
  if (cluster === null) throw new Error('Cannot make attempts: no stage has chosen a cluster')
  const walk: AttemptWalk = { context, cluster, state: initialRetryState(context.retry), isInformed: false }
  const { requestMs } = context.timeouts
  let timer: NodeJS.Timeout | null = null
  let isOver = false
  if (requestMs > 0) {
    context.body.onComplete(() => {
      if (!isOver) timer = setTimeout(() => interrupt(context, 'timeout'), requestMs)
    })
  }
  try {
    await attemptUntilAnswered(walk)
  } finally {
    isOver = true
    if (timer !== null) clearTimeout(timer)
    // A caller that left did so between two decisions; its retry still holds the slot.
    if (walk.state.holdsSlot) cluster.load.activeRetries -= 1
  }
  return 'done'
}

async function attemptUntilAnswered(walk: AttemptWalk): Promise<void> {
  const { context, cluster } = walk
  const tried = new Set<string>()
  let reason: RetryReason | null = null
  let backoffMs = 0
  for (let number = 0; ; number++) {
    const endpoint = cluster.pick(context.retry?.avoidsPreviousHosts === true ? tried : NOBODY)
    if (endpoint === null) {
      sendLocalReply(context, NO_HEALTHY_UPSTREAM)
      cluster.metrics.countFinal(NO_HEALTHY_UPSTREAM.status)
      return
    }
    tried.add(endpoint.address)
    const attempt = beginAttempt(context, endpoint, number, reason, backoffMs)
    const result = await runAttempt(walk, endpoint, attempt)
    if (result.kind === 'answered') return
    reason = result.reason
    backoffMs = waitBefore(walk, cluster, number + 1, result.retryAfter)
    await pause(context, backoffMs)
    result.endDiscarded()
    if (context.interruption !== null) {
      replyInterrupted(context)
      return
    }
  }
}

function beginAttempt(
  context: RequestContext,
  endpoint: EndpointRuntime,
  number: number,
  retryReason: RetryReason | null,
  backoffMs: number,
): AttemptRecord {
  const now = context.proxy.clock.monotonic()
  const attempt: AttemptRecord = {
    number,
    spanId: newSpanId(),
    address: endpoint.address,
    startMs: now,
    endMs: now,
    status: 0,
    reset: null,
    flag: null,
    retryReason,
    backoffMs,
    verdict: null,
    withheld: null,
  }
  context.record.attempts.push(attempt)
  return attempt
}

/** `retryAfter`: what a rate-limited answer asks for. */
function waitBefore(
  { context }: AttemptWalk,
  cluster: ClusterRuntime,
  number: number,
  retryAfter: string | undefined,
): number {
  const { retry, proxy } = context
  if (retry === null) return 0
  const { counters } = cluster.metrics
  const asked = rateLimitedBackoff(retryAfter, proxy.random())
  if (asked !== null) {
    counters.upstream_rq_retry_backoff_ratelimited.value += 1
    return asked
  }
  counters.upstream_rq_retry_backoff_exponential.value += 1
  return retryBackoff(retry, number, proxy.random())
}
