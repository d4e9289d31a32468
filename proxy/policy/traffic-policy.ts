import type { DestinationRule, TrafficPolicy } from './destination-rule-schema.ts'
import type {
  BalancerPolicy,
  ClusterPolicy,
  ConnectionPoolPolicy,
  OutlierPolicy,
  RetryBudgetPolicy,
  UpstreamTlsPolicy,
} from './proxy-policy.ts'

/** Istio's "no limit". */
export const UNLIMITED = 4_294_967_295

/** What of a cluster comes from a DestinationRule. */
export type TrafficSettings = Pick<
  ClusterPolicy,
  'pool' | 'retryBudget' | 'outlier' | 'panicThresholdPercent' | 'balancer' | 'tls'
>

/**
 * The traffic policy of one port and subset, as Istio merges it: the subset's blocks replace the destination's, and an
 * entry of `portLevelSettings` for the port replaces four blocks at once, unset ones by their defaults.
 */
export function effectiveTrafficPolicy(
  rule: DestinationRule['spec'] | null,
  port: number,
  subset: string,
): TrafficPolicy {
  const base = withPortLevel(rule?.trafficPolicy ?? {}, rule?.trafficPolicy, port)
  const own = rule?.subsets?.find((candidate) => candidate.name === subset)?.trafficPolicy
  return own === undefined ? base : withPortLevel({ ...base, ...own }, own, port)
}

function withPortLevel(
  policy: TrafficPolicy,
  source: TrafficPolicy | undefined,
  port: number,
): TrafficPolicy {
  const level = source?.portLevelSettings?.find((entry) => entry.port.number === port)
  if (level === undefined) return policy
  const { connectionPool, loadBalancer, outlierDetection, tls } = level
  return { ...policy, connectionPool, loadBalancer, outlierDetection, tls }
}

/** Resolves every default as Istio does (`ApplyTrafficPolicy`): no limits but a connect timeout, least request, outlier detection off. */
export function trafficSettings(policy: TrafficPolicy): TrafficSettings {
  return {
    pool: poolOf(policy.connectionPool ?? {}),
    retryBudget: budgetOf(policy.retryBudget),
    outlier: outlierOf(policy.outlierDetection),
    panicThresholdPercent: policy.outlierDetection?.minHealthPercent ?? 0,
    balancer: balancerOf(policy.loadBalancer?.simple),
    tls: tlsOf(policy.tls),
  }
}

function poolOf(pool: NonNullable<TrafficPolicy['connectionPool']>): ConnectionPoolPolicy {
  const tcp = pool.tcp ?? {}
  const http = pool.http ?? {}
  const alive = tcp.tcpKeepalive
  return {
    maxConnections: limit(tcp.maxConnections),
    maxPendingRequests: limit(http.http1MaxPendingRequests),
    maxRequests: limit(http.http2MaxRequests),
    maxRetries: limit(http.maxRetries),
    connectTimeoutMs: tcp.connectTimeout ?? 10_000,
    maxRequestsPerConnection: http.maxRequestsPerConnection ?? 0,
    idleTimeoutMs: http.idleTimeout ?? tcp.idleTimeout ?? 3_600_000,
    maxConnectionDurationMs: tcp.maxConnectionDuration ?? 0,
    keepAlive:
      alive === undefined
        ? null
        : {
            // The operating system's own defaults, as Envoy leaves them.
            timeMs: alive.time ?? 7_200_000,
            intervalMs: alive.interval ?? 75_000,
            probes: alive.probes ?? 9,
          },
  }
}

/** Istio takes a limit only when it is above 0 (`if settings.Http1MaxPendingRequests > 0`). */
function limit(value: number | undefined): number {
  return value === undefined || value === 0 ? UNLIMITED : value
}

function budgetOf(budget: TrafficPolicy['retryBudget']): RetryBudgetPolicy | null {
  if (budget === undefined) return null
  return { percent: budget.percent ?? 20, minRetries: budget.minRetryConcurrency ?? 3 }
}

function outlierOf(outlier: TrafficPolicy['outlierDetection']): OutlierPolicy | null {
  if (outlier === undefined) return null
  const baseEjectionMs = outlier.baseEjectionTime ?? 30_000
  const consecutive5xx = outlier.consecutive5xxErrors ?? 5
  const gateway = outlier.consecutiveGatewayErrors ?? 0
  return {
    consecutive5xx,
    enforcing5xx: consecutive5xx > 0 ? 100 : 0,
    // Envoy detects at 5 also where Istio enforces nothing; nobody could see it, so it is off.
    consecutiveGateway: gateway,
    enforcingGateway: gateway > 0 ? 100 : 0,
    consecutiveLocalOrigin: outlier.consecutiveLocalOriginFailures || 5,
    enforcingLocalOrigin: 100,
    splitsLocalOrigin: outlier.splitExternalLocalOriginErrors ?? false,
    intervalMs: outlier.interval ?? 10_000,
    baseEjectionMs,
    maxEjectionMs: Math.max(300_000, baseEjectionMs),
    maxEjectionJitterMs: 0,
    maxEjectionPercent: outlier.maxEjectionPercent ?? 10,
  }
}

function balancerOf(simple: NonNullable<TrafficPolicy['loadBalancer']>['simple']): BalancerPolicy {
  if (simple === 'ROUND_ROBIN') return { kind: 'round-robin' }
  return { kind: simple === 'RANDOM' ? 'random' : 'least-request' }
}

function tlsOf(tls: TrafficPolicy['tls']): UpstreamTlsPolicy | null {
  if (tls === undefined || tls.mode === undefined || tls.mode === 'DISABLE') return null
  const isMutual = tls.mode === 'MUTUAL'
  return {
    sni: tls.sni ?? '',
    caFile: tls.caCertificates ?? null,
    certFile: isMutual ? (tls.clientCertificate ?? null) : null,
    keyFile: isMutual ? (tls.privateKey ?? null) : null,
    verifies: tls.insecureSkipVerify !== true,
    subjectAltNames: tls.subjectAltNames ?? [],
  }
}
