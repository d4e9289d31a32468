import type { ConnectionPoolPolicy } from '../policy/proxy-policy.ts'

/** What a cluster has in use, counted by this process: the state that the breakers look at. */
export interface ClusterLoad {
  readonly connections: number
  /** Requests that wait for a connection, those included whose connection is being opened. */
  readonly pendingRequests: number
  readonly activeRequests: number
  readonly activeRetries: number
}

/** The limits of {@link ConnectionPoolPolicy} that breakers enforce. */
export type BreakerLimits = Pick<
  ConnectionPoolPolicy,
  'maxConnections' | 'maxPendingRequests' | 'maxRequests'
>

/** What to do with a request that has chosen its endpoint. */
export type StreamAdmission =
  /** Take the idle connection. */
  | { readonly kind: 'use-connection' }
  /** Open a connection; the request is pending until it is there. */
  | { readonly kind: 'open-connection' }
  /** Wait for a connection that others use; counted by `upstream_cx_overflow`. */
  | { readonly kind: 'queue' }
  /** 503 with flag UO, never retried, not charged to outlier detection. */
  | { readonly kind: 'overflow'; readonly breaker: 'requests' | 'pending' }

/**
 * Admits a request to an endpoint's pool, as Envoy's `ConnPoolImplBase::newStream`: on an idle connection only
 * `maxRequests` counts; else the request becomes pending, if `maxPendingRequests` allows it, and opens a connection, if `maxConnections`
 * allows it. A pool without any connection may always open one. A pending request must pass
 * {@link admitOnConnection} when its connection is there. Both overflows move `upstream_rq_pending_overflow`.
 */
export function admitStream(
  load: ClusterLoad,
  limits: BreakerLimits,
  pool: { readonly hasIdleConnection: boolean; readonly connections: number },
): StreamAdmission {
  if (pool.hasIdleConnection) {
    return admitOnConnection(load, limits)
      ? { kind: 'use-connection' }
      : { kind: 'overflow', breaker: 'requests' }
  }
  if (load.pendingRequests >= limits.maxPendingRequests) return { kind: 'overflow', breaker: 'pending' }
  if (load.connections < limits.maxConnections || pool.connections === 0) return { kind: 'open-connection' }
  return { kind: 'queue' }
}

/**
 * Whether a request may become active on a connection (`maxRequests`, which counts for HTTP/1.1 too). False: 503 with
 * flag UO. `load.activeRequests` does not count the request itself.
 */
export function admitOnConnection(load: Pick<ClusterLoad, 'activeRequests'>, limits: BreakerLimits): boolean {
  return load.activeRequests < limits.maxRequests
}

/** Whether each breaker is open (1 in Envoy's `circuit_breakers.default.*_open`): nothing more is admitted. */
export interface BreakerGauges {
  readonly isConnectionsOpen: boolean
  readonly isPendingOpen: boolean
  readonly isRequestsOpen: boolean
  readonly isRetriesOpen: boolean
}

/** The gauges of a moment; `retryLimit` is that of {@link retryLimit}. */
export function breakerGauges(load: ClusterLoad, limits: BreakerLimits, retryLimit: number): BreakerGauges {
  return {
    isConnectionsOpen: load.connections >= limits.maxConnections,
    isPendingOpen: load.pendingRequests >= limits.maxPendingRequests,
    isRequestsOpen: load.activeRequests >= limits.maxRequests,
    isRetriesOpen: load.activeRetries >= retryLimit,
  }
}
