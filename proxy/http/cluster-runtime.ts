import type { Clock } from '../../runtime/clock.ts'
import type { ClusterPolicy, EndpointPolicy } from '../policy/proxy-policy.ts'
import { type BreakerGauges, breakerGauges } from '../resilience/circuit-breaker.ts'
import {
  type BalancerRules,
  type BalancerState,
  initialBalancerState,
  pickEndpoint,
} from '../resilience/load-balancer.ts'
import {
  ejectManually,
  type OutlierStep,
  recordResult,
  returnManually,
  sweepEndpoint,
} from '../resilience/outlier-detection.ts'
import {
  type EndpointOutlierState,
  NEW_ENDPOINT,
  type OutlierEvent,
  type OutlierTransition,
} from '../resilience/outlier-state.ts'
import { retryLimit } from '../resilience/retry-budget.ts'
import type { ClusterMetrics } from '../telemetry/cluster-metrics.ts'
import { MILLISECOND_BOUNDARIES } from '../telemetry/cluster-metrics.ts'
import {
  type BreakerName,
  breakerClosedEvent,
  breakerOpenedEvent,
  outlierEvent,
} from '../telemetry/mesh-events.ts'
import { observe } from '../telemetry/metric-registry.ts'
import type { EventRecord } from '../telemetry/telemetry-record.ts'
import { tlsOptions } from './connect-upstream.ts'
import { createEndpointPool, type EndpointPool, type MutableLoad } from './endpoint-pool.ts'
import type { PoolStats } from './pool-stats.ts'

/** One endpoint of a running cluster. */
export interface EndpointRuntime {
  readonly address: string
  policy: EndpointPolicy
  /** What the balancer looks at; follows `policy` and `outlier`. */
  weight: number
  isHealthy: boolean
  pool: EndpointPool
  outlier: EndpointOutlierState
  activeRequests: number
  /** Attempts given to it, and those that ended badly (no response, or 5xx). */
  attempts: number
  failures: number
}

/** A cluster at work: policy, endpoints and what is in use. */
export interface ClusterRuntime {
  readonly name: string
  readonly policy: ClusterPolicy
  readonly endpoints: readonly EndpointRuntime[]
  readonly load: MutableLoad
  readonly metrics: ClusterMetrics
  /** Takes a new policy over; endpoints that stay keep their state and their connections. */
  update(policy: ClusterPolicy): void
  /** Chooses an endpoint; null: none can be chosen. */
  pick(avoid: ReadonlySet<string>): EndpointRuntime | null
  /** Charges what an attempt met to its endpoint. */
  charge(endpoint: EndpointRuntime, event: OutlierEvent): void
  /** How many retries may run now. */
  retryLimit(): number
  /** A breaker turned a request away. */
  rejected(breaker: BreakerName, traceId: string): void
  /** Remembers which breakers are open, for the gauges; called when something was taken. */
  noteUse(): void
  eject(address: string, untilMs?: number): boolean
  uneject(address: string): boolean
  /** What time does: ejected endpoints return, breakers close. Called about every second. */
  tick(): void
  /** Sets the gauges. */
  refresh(): void
  drain(): void
}

/** What a cluster needs of the proxy. */
export interface ClusterRuntimeOptions {
  readonly policy: ClusterPolicy
  readonly metrics: ClusterMetrics
  readonly clock: Clock
  readonly random: () => number
  readonly onEvent: (event: EventRecord) => void
  /** How often telemetry is read: an opening of a breaker is shown at least that long. */
  readonly peakWindowMs: number
}

/** Without a request turned away for so long, a breaker counts as closed. */
export const BREAKER_QUIET_MS = 5000

function balancerRules(policy: ClusterPolicy): BalancerRules {
  return { ...policy.balancer, panicThresholdPercent: policy.panicThresholdPercent }
}

const NOTHING_OPEN: BreakerGauges = {
  isConnectionsOpen: false,
  isPendingOpen: false,
  isRequestsOpen: false,
  isRetriesOpen: false,
}

function isNews(now: BreakerGauges, open: BreakerGauges): boolean {
  return (
    (now.isConnectionsOpen && !open.isConnectionsOpen) ||
    (now.isPendingOpen && !open.isPendingOpen) ||
    (now.isRequestsOpen && !open.isRequestsOpen) ||
    (now.isRetriesOpen && !open.isRetriesOpen)
  )
}

interface BreakerSpell {
  readonly openedMs: number
  lastMs: number
  rejected: number
}

/** Starts a cluster. Throws AppError CANNOT_START when one of its TLS files cannot be read. */
export function createClusterRuntime(options: ClusterRuntimeOptions): ClusterRuntime {
  const { metrics, clock, random, onEvent } = options
  const { counters, gauges } = metrics
  const load: MutableLoad = { connections: 0, pendingRequests: 0, activeRequests: 0, activeRetries: 0 }
  const spells = new Map<BreakerName, BreakerSpell>()
  let open = NOTHING_OPEN
  let openBefore = NOTHING_OPEN
  let nextPeaksMs = clock.monotonic() + options.peakWindowMs
  let policy = options.policy
  let rules = balancerRules(policy)
  let endpoints: EndpointRuntime[] = []
  let balancer: BalancerState = initialBalancerState(Math.floor(random() * 1000))
  let nextSweepMs = clock.monotonic() + (policy.outlier?.intervalMs ?? 0)

  const poolStats: PoolStats = {
    connectionOpened: () => bump('upstream_cx_total'),
    connected: (tookMs) => observe(metrics.connectTime, MILLISECOND_BOUNDARIES, tookMs),
    connectFailed(reason) {
      bump('upstream_cx_connect_fail')
      if (reason === 'connect-timeout') bump('upstream_cx_connect_timeout')
    },
    connectionClosed(isUnderRequest) {
      bump('upstream_cx_destroy')
      if (isUnderRequest) bump('upstream_cx_destroy_with_active_rq')
    },
    pended: () => bump('upstream_rq_pending_total'),
    connectionOverflowed: () => bump('upstream_cx_overflow'),
  }

  function bump(counter: keyof typeof counters): void {
    counters[counter].value += 1
  }

  function makePool(address: string): EndpointPool {
    const tls = policy.tls === null ? null : tlsOptions(policy.tls, policy.host)
    return createEndpointPool({
      target: { address, tls },
      limits: () => policy.pool,
      load,
      stats: poolStats,
      clock,
    })
  }

  function setEndpoints(next: readonly EndpointPolicy[], keepsPools: boolean): void {
    const known = new Map(endpoints.map((endpoint) => [endpoint.address, endpoint]))
    endpoints = next.map((endpointPolicy) => {
      const { address } = endpointPolicy
      const old = known.get(address)
      known.delete(address)
      if (old === undefined) {
        return {
          address,
          policy: endpointPolicy,
          weight: endpointPolicy.weight,
          isHealthy: true,
          pool: makePool(address),
          outlier: NEW_ENDPOINT,
          activeRequests: 0,
          attempts: 0,
          failures: 0,
        }
      }
      old.policy = endpointPolicy
      old.weight = endpointPolicy.weight
      if (!keepsPools) {
        old.pool.drain()
        old.pool = makePool(address)
      }
      return old
    })
    for (const gone of known.values()) gone.pool.drain()
  }
  setEndpoints(policy.endpoints, true)

  function apply(endpoint: EndpointRuntime, step: OutlierStep): void {
    if (endpoint.outlier === step.state) return
    endpoint.outlier = step.state
    endpoint.isHealthy = step.state.ejection === null
    for (const transition of step.transitions) {
      countTransition(transition)
      onEvent(
        outlierEvent(
          { cluster: policy.name, host: policy.host, endpoint: endpoint.address },
          transition,
          clock.now(),
        ),
      )
    }
  }

  function countTransition(transition: OutlierTransition): void {
    const { kind, type } = transition
    if (kind === 'overflow') bump('outlier_detection_ejections_overflow')
    if (kind !== 'returned' && type !== 'manual') bump(`outlier_detection_ejections_detected_${type}`)
    if (kind !== 'ejected') return
    bump('outlier_detection_ejections_enforced_total')
    if (type !== 'manual') bump(`outlier_detection_ejections_enforced_${type}`)
  }

  const ejected = (): number => endpoints.filter(({ outlier }) => outlier.ejection !== null).length
  const limitOfRetries = (): number => retryLimit(policy.pool, policy.retryBudget, load)
  const find = (address: string) => endpoints.find((endpoint) => endpoint.address === address)

  function sweep(): void {
    const now = clock.monotonic()
    if (now < nextSweepMs) return
    // Without a detector only ejections by hand are there to end.
    nextSweepMs = now + (policy.outlier?.intervalMs ?? 1000)
    for (const endpoint of endpoints) {
      const { outlier } = endpoint
      if (policy.outlier !== null) apply(endpoint, sweepEndpoint(policy.outlier, outlier, clock.now()))
      else if (outlier.ejection !== null && clock.now() >= outlier.ejection.untilMs) {
        apply(endpoint, returnManually(outlier, clock.now()))
      }
    }
  }

  function closeQuietBreakers(): void {
    const now = clock.monotonic()
    for (const [breaker, spell] of spells) {
      if (now - spell.lastMs < BREAKER_QUIET_MS) continue
      spells.delete(breaker)
      const lasted = { openMs: spell.lastMs - spell.openedMs, rejected: spell.rejected }
      onEvent(breakerClosedEvent({ cluster: policy.name, host: policy.host }, breaker, lasted, clock.now()))
    }
  }

  function limitOf(breaker: BreakerName): number {
    const { pool } = policy
    if (breaker === 'max_connections') return pool.maxConnections
    if (breaker === 'max_pending_requests') return pool.maxPendingRequests
    return breaker === 'max_requests' ? pool.maxRequests : limitOfRetries()
  }

  const noteUse = (): void => {
    const now = breakerGauges(load, policy.pool, limitOfRetries())
    if (!isNews(now, open)) return
    open = {
      isConnectionsOpen: open.isConnectionsOpen || now.isConnectionsOpen,
      isPendingOpen: open.isPendingOpen || now.isPendingOpen,
      isRequestsOpen: open.isRequestsOpen || now.isRequestsOpen,
      isRetriesOpen: open.isRetriesOpen || now.isRetriesOpen,
    }
  }

  /** Two windows are shown, so that whoever reads once in a window misses no opening. */
  function forgetPeaks(): void {
    const now = clock.monotonic()
    if (now < nextPeaksMs) return
    nextPeaksMs = now + options.peakWindowMs
    openBefore = open
    open = NOTHING_OPEN
  }

  return {
    name: policy.name,
    get policy() {
      return policy
    },
    get endpoints() {
      return endpoints
    },
    load,
    metrics,
    noteUse,
    update(next) {
      const before = policy
      policy = next
      rules = balancerRules(next)
      const keepsPools = JSON.stringify(before.tls) === JSON.stringify(next.tls)
      if (
        before.endpoints.map(({ address }) => address).join() !==
        next.endpoints.map(({ address }) => address).join()
      )
        bump('membership_change')
      setEndpoints(next.endpoints, keepsPools)
      nextSweepMs = Math.min(nextSweepMs, clock.monotonic() + (next.outlier?.intervalMs ?? 1000))
    },
    pick(avoid) {
      const choice = pickEndpoint(rules, endpoints, balancer, avoid, random)
      balancer = choice.state
      if (choice.isPanic) bump('lb_healthy_panic')
      if (choice.endpoint === null) bump('upstream_cx_none_healthy')
      return endpoints.find((endpoint) => endpoint === choice.endpoint) ?? null
    },
    charge(endpoint, event) {
      const failed = event.kind === 'local-failure' || (event.kind === 'response' && event.status >= 500)
      if (failed) endpoint.failures += 1
      if (policy.outlier === null || !endpoints.includes(endpoint)) return
      const cluster = { endpoints: endpoints.length, ejected: ejected() }
      apply(endpoint, recordResult(policy.outlier, endpoint.outlier, cluster, event, clock.now(), random))
    },
    retryLimit: limitOfRetries,
    rejected(breaker, traceId) {
      const now = clock.monotonic()
      const spell = spells.get(breaker)
      if (spell !== undefined) {
        spell.lastMs = now
        spell.rejected += 1
        return
      }
      spells.set(breaker, { openedMs: now, lastMs: now, rejected: 1 })
      const place = { cluster: policy.name, host: policy.host }
      onEvent(breakerOpenedEvent(place, breaker, limitOf(breaker), clock.now(), traceId))
    },
    eject(address, untilMs) {
      const endpoint = find(address)
      if (endpoint === undefined) return false
      apply(endpoint, ejectManually(endpoint.outlier, clock.now(), untilMs))
      return true
    },
    uneject(address) {
      const endpoint = find(address)
      if (endpoint === undefined) return false
      apply(endpoint, returnManually(endpoint.outlier, clock.now()))
      return true
    },
    tick() {
      sweep()
      closeQuietBreakers()
      forgetPeaks()
    },
    refresh() {
      noteUse()
      const out = ejected()
      const { pool } = policy
      gauges.upstream_rq_active.value = load.activeRequests
      gauges.upstream_rq_pending_active.value = load.pendingRequests
      gauges.upstream_cx_active.value = load.connections
      gauges.membership_total.value = endpoints.length
      gauges.membership_healthy.value = endpoints.length - out
      gauges.outlier_detection_ejections_active.value = out
      gauges.circuit_breakers_default_cx_open.value = Number(
        open.isConnectionsOpen || openBefore.isConnectionsOpen,
      )
      gauges.circuit_breakers_default_rq_pending_open.value = Number(
        open.isPendingOpen || openBefore.isPendingOpen,
      )
      gauges.circuit_breakers_default_rq_open.value = Number(open.isRequestsOpen || openBefore.isRequestsOpen)
      gauges.circuit_breakers_default_rq_retry_open.value = Number(
        open.isRetriesOpen || openBefore.isRetriesOpen,
      )
      gauges.circuit_breakers_default_remaining_cx.value = Math.max(0, pool.maxConnections - load.connections)
      gauges.circuit_breakers_default_remaining_pending.value = Math.max(
        0,
        pool.maxPendingRequests - load.pendingRequests,
      )
      gauges.circuit_breakers_default_remaining_rq.value = Math.max(0, pool.maxRequests - load.activeRequests)
      gauges.circuit_breakers_default_remaining_retries.value = Math.max(
        0,
        limitOfRetries() - load.activeRetries,
      )
    },
    drain() {
      for (const endpoint of endpoints) endpoint.pool.drain()
    },
  }
}
