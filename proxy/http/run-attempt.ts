import type { LocalOriginFailure } from '../resilience/outlier-state.ts'
import {
  type AttemptOutcome,
  type ResetReason,
  type RetryDecision,
  type RetryReason,
  type RetryState,
  shouldRetry,
} from '../resilience/should-retry.ts'
import { MILLISECOND_BOUNDARIES } from '../telemetry/cluster-metrics.ts'
import { observe } from '../telemetry/metric-registry.ts'
import type { AttemptRecord } from '../telemetry/request-record.ts'
import type { ClusterRuntime, EndpointRuntime } from './cluster-runtime.ts'
import { rawHeader } from './forwarded-headers.ts'
import { resetFlag, resetReply } from './local-reply.ts'
import type { RequestContext } from './request-context.ts'
import { replyInterrupted, sendHead, sendLocalReply } from './respond.ts'
import { type Attempt, type AttemptReset, sendAttempt } from './send-attempt.ts'
import { upstreamRequest } from './upstream-request.ts'

/** What the attempts of one request share. */
export interface AttemptWalk {
  readonly context: RequestContext
  readonly cluster: ClusterRuntime
  state: RetryState
  /** An informational response went to the caller. */
  isInformed: boolean
}

/** How an attempt ended. */
export type AttemptResult =
  | { readonly kind: 'answered' }
  | {
      readonly kind: 'retry'
      readonly reason: RetryReason
      /** `Retry-After` of an answer that said it was rate-limited. */
      readonly retryAfter: string | undefined
      /** Stops reading the response that nobody wants; if it has ended by then, its connection is kept. */
      readonly endDiscarded: () => void
    }

const SMALL_BODY_BYTES = 16 * 1024
const ANSWERED: AttemptResult = { kind: 'answered' }
const CHARGED_AS: Readonly<Partial<Record<ResetReason, LocalOriginFailure>>> = {
  'connect-failure': 'connect-failure',
  'connect-timeout': 'timeout',
  'per-try-timeout': 'timeout',
  'global-timeout': 'timeout',
  'refused-stream': 'reset',
  'remote-reset': 'reset',
  'connection-termination': 'reset',
  'protocol-error': 'reset',
}

/**
 * Makes one attempt, and decides at its first word whether there is another: with the head in hand, before a byte goes to
 * the caller. Resolves when the caller has its answer, or as soon as another attempt is due.
 */
export function runAttempt(
  walk: AttemptWalk,
  endpoint: EndpointRuntime,
  record: AttemptRecord,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const { context, cluster } = walk
    const { proxy, response, body } = context
    const { counters } = cluster.metrics
    let phase: 'waiting' | 'responding' | 'discarding' | 'over' = 'waiting'
    let attempt: Attempt | null = null
    let perTryTimer: NodeJS.Timeout | null = null
    let declaredBytes = -1
    /** A whole small body: with the head it makes one string, and one write of the system instead of two. */
    let whole: Buffer | null = null
    endpoint.activeRequests += 1
    endpoint.attempts += 1

    function leave(next: 'responding' | 'discarding' | 'over'): void {
      if (phase === 'waiting') {
        if (perTryTimer !== null) clearTimeout(perTryTimer)
        perTryTimer = null
      }
      if (next !== 'responding' && phase !== 'discarding') {
        context.onInterrupt = null
        record.endMs = proxy.clock.monotonic()
      }
      if (next === 'over') endpoint.activeRequests -= 1
      phase = next
    }

    function decide(outcome: AttemptOutcome): RetryDecision {
      const decision = shouldRetry(
        context.retry,
        walk.state,
        outcome,
        {
          method: context.record.method,
          hasIdempotencyKey: context.request.headers['idempotency-key'] !== undefined,
          isBodyTooLarge: body.isTooLarge(),
          isResponseStarted: walk.isInformed || response.headersSent,
        },
        { activeRetries: cluster.load.activeRetries, limit: cluster.retryLimit() },
      )
      walk.state = decision.state
      cluster.load.activeRetries += decision.slots
      for (const counter of decision.counters) counters[counter].value += 1
      if (decision.isRetried) cluster.noteUse()
      if (decision.flag !== null) context.record.flags.add(decision.flag)
      if (decision.reason === 'body-too-large') counters.retry_or_shadow_abandoned.value += 1
      if (decision.reason === 'retry-overflow') {
        const limit = cluster.policy.retryBudget === null ? 'max_retries' : 'retry_budget'
        cluster.rejected('max_retries', context.record.traceId)
        proxy.meshMetrics.rejected(cluster.name, limit)
      }
      record.verdict = decision.isRetried ? 'retried' : (decision.reason as AttemptRecord['verdict'])
      record.withheld = decision.withheld
      return decision
    }

    function charge(reason: ResetReason): void {
      const cause = CHARGED_AS[reason]
      if (cause === undefined) return
      cluster.charge(endpoint, { kind: 'local-failure', cause, traceId: context.record.traceId })
    }

    /** The attempt is over and the caller has heard nothing yet. */
    function failed(reset: AttemptReset): void {
      record.reset = reset.reason
      record.flag = resetFlag(reset.reason)
      leave('over')
      charge(reset.reason)
      if (reset.breaker !== null) countOverflow(reset.breaker)
      const outcome: AttemptOutcome = {
        kind: 'reset',
        reason: reset.reason,
        isRequestSent: reset.isRequestSent,
      }
      const decision = decide(outcome)
      if (decision.isRetried) {
        resolve({
          kind: 'retry',
          reason: decision.reason as RetryReason,
          retryAfter: undefined,
          endDiscarded: () => {},
        })
        return
      }
      const reply = resetReply(reset.reason, reset.detail, record.number > 0)
      cluster.metrics.countFinal(reply.status)
      sendLocalReply(context, reply)
      resolve(ANSWERED)
    }

    function countOverflow(breaker: NonNullable<AttemptReset['breaker']>): void {
      const limit = breaker === 'pending' ? 'max_pending_requests' : 'max_requests'
      counters.upstream_rq_pending_overflow.value += 1
      cluster.rejected(limit, context.record.traceId)
      proxy.meshMetrics.rejected(cluster.name, limit)
    }

    function startPerTryTimer(): void {
      const { perTryMs } = context.timeouts
      if (perTryMs === 0) return
      body.onComplete(() => {
        if (phase !== 'waiting') return
        perTryTimer = setTimeout(() => {
          counters.upstream_rq_per_try_timeout.value += 1
          counters.upstream_rq_tx_reset.value += 1
          const isRequestSent = attempt?.isRequestSent() ?? false
          attempt?.cancel()
          failed({ reason: 'per-try-timeout', detail: '', isRequestSent, breaker: null })
        }, perTryMs)
      })
    }

    function interrupted(): void {
      const wasWaiting = phase === 'waiting'
      const isTimeout = context.interruption === 'timeout'
      const isRequestSent = attempt?.isRequestSent() ?? false
      attempt?.cancel()
      leave('over')
      record.reset = isTimeout ? 'global-timeout' : 'local-reset'
      record.flag = isTimeout ? 'UT' : 'DC'
      counters[isRequestSent ? 'upstream_rq_tx_reset' : 'upstream_rq_cancelled'].value += 1
      if (isTimeout) counters.upstream_rq_timeout.value += 1
      // The caller's leaving is no fault of the endpoint.
      if (isTimeout && wasWaiting) charge('global-timeout')
      if (wasWaiting) {
        if (isTimeout) {
          decide({ kind: 'reset', reason: 'global-timeout', isRequestSent })
          cluster.metrics.countFinal(504)
        }
        replyInterrupted(context)
      } else
        breakOff(isTimeout ? 'UT' : 'DC', isTimeout ? 'response_timeout' : 'downstream_remote_disconnect')
      resolve(ANSWERED)
    }

    /** Too late for an answer of our own: the caller must see that the response is not whole. */
    function breakOff(flag: 'UT' | 'DC' | 'UC' | 'UPE', details: string): void {
      context.record.flags.add(flag)
      context.record.details = details
      response.destroy()
    }

    function headArrived(status: number, raw: readonly string[], statusText: string): void {
      record.status = status
      counters.upstream_rq_completed.value += 1
      const grpc = rawHeader(raw, 'grpc-status')
      const grpcStatus = grpc !== undefined && /^\d{1,2}$/.test(grpc) ? Number(grpc) : null
      if (grpcStatus !== null) context.record.grpcStatus = grpcStatus
      cluster.charge(endpoint, {
        kind: 'response',
        status: grpcStatus === null ? status : statusOfGrpc(grpcStatus),
        traceId: context.record.traceId,
      })
      const isRateLimited = rawHeader(raw, 'x-envoy-ratelimited') !== undefined
      const decision = decide({
        kind: 'headers',
        status,
        grpcStatus,
        isRateLimited,
        hasRetriableHeader:
          context.retry?.retriableHeaders.some((name) => rawHeader(raw, name) !== undefined) === true,
      })
      if (!decision.isRetried) {
        respond(status, raw, statusText)
        return
      }
      cluster.metrics.countRetried(status)
      leave('discarding')
      resolve({
        kind: 'retry',
        reason: decision.reason as RetryReason,
        retryAfter: isRateLimited ? rawHeader(raw, 'retry-after') : undefined,
        endDiscarded: () => {
          if (phase !== 'discarding') return
          attempt?.cancel()
          leave('over')
        },
      })
    }

    function respond(status: number, raw: readonly string[], statusText: string): void {
      cluster.metrics.countFinal(status)
      declaredBytes = Number(rawHeader(raw, 'content-length') ?? -1)
      try {
        sendHead(context, status, statusText, raw, proxy.clock.monotonic() - record.startMs)
      } catch {
        // Bytes in the head that node:http does not let out: the response is as good as malformed.
        attempt?.cancel()
        record.reset = 'protocol-error'
        record.flag = 'UPE'
        leave('over')
        sendLocalReply(context, resetReply('protocol-error', 'header value not allowed', record.number > 0))
        resolve(ANSWERED)
        return
      }
      leave('responding')
    }

    context.onInterrupt = interrupted
    attempt = sendAttempt(endpoint.pool, upstreamRequest(context, record), {
      onConnection() {
        counters.upstream_rq_total.value += 1
        cluster.noteUse()
        cluster.charge(endpoint, { kind: 'connected' })
        startPerTryTimer()
      },
      onInformation(status, raw) {
        if (phase !== 'waiting' || context.request.httpVersion === '1.0') return
        const link = rawHeader(raw, 'link')
        if (status !== 103 || link === undefined) return
        walk.isInformed = true
        response.writeEarlyHints({ link })
      },
      onHead: headArrived,
      onData(chunk) {
        if (phase !== 'responding') return
        context.record.responseBytes += chunk.length
        if (chunk.length === declaredBytes && chunk.length <= SMALL_BODY_BYTES) {
          whole = chunk
          return
        }
        if (response.write(chunk)) return
        counters.upstream_flow_control_paused_reading_total.value += 1
        attempt?.pause()
        response.once('drain', () => attempt?.resume())
      },
      onEnd(trailers) {
        if (phase === 'discarding') {
          leave('over')
          return
        }
        const grpc = rawHeader(trailers, 'grpc-status')
        if (grpc !== undefined) context.record.grpcStatus = Number(grpc)
        if (trailers.length > 0) response.addTrailers(pairsOf(trailers))
        if (whole === null) response.end()
        else response.end(whole.toString('latin1'), 'latin1')
        leave('over')
        observe(cluster.metrics.requestTime, MILLISECOND_BOUNDARIES, record.endMs - record.startMs)
        resolve(ANSWERED)
      },
      onReset(reset) {
        if (reset.isRequestSent) counters.upstream_rq_rx_reset.value += 1
        else if (reset.reason.startsWith('connect-')) counters.upstream_rq_pending_failure_eject.value += 1
        if (phase === 'waiting') failed(reset)
        else if (phase === 'discarding') leave('over')
        else if (phase === 'responding') {
          record.reset = reset.reason
          const flag = reset.reason === 'protocol-error' ? 'UPE' : 'UC'
          record.flag = flag
          leave('over')
          charge('connection-termination')
          breakOff(flag, `upstream_reset_after_response_started{${reset.reason.replaceAll('-', '_')}}`)
          resolve(ANSWERED)
        }
      },
    })
  })
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? '', raw[at + 1] ?? ''])
  return pairs
}

const HTTP_OF_GRPC: Readonly<Record<number, number>> = {
  0: 200,
  2: 500,
  4: 504,
  8: 429,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
}

/** Envoy's `Grpc::Utility::grpcToHttpStatus`, as far as outlier detection can tell the difference. */
function statusOfGrpc(status: number): number {
  return HTTP_OF_GRPC[status] ?? 400
}
