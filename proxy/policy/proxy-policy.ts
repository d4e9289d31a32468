import type { RetryCondition } from '../resilience/retry-condition.ts'

/**
 * What the proxy obeys: routes by host and clusters by name, every default resolved. Immutable; a reload makes a new one.
 * Durations are milliseconds; 0 means "none" where the field says so. Defaults are Istio's, which differ from bare Envoy's.
 */
export interface ProxyPolicy {
  /** Routes by lower-case domain: `payments.shop.svc.cluster.local`, its short forms, with or without `:port`. */
  readonly exactHosts: ReadonlyMap<string, VirtualHost>
  /** Suffix domains, longest first: `.example.com` for `*.example.com`. */
  readonly suffixHosts: readonly { readonly suffix: string; readonly host: VirtualHost }[]
  /** Domain `*`. */
  readonly anyHost: VirtualHost | null
  /** Clusters by Istio's name `outbound|PORT|SUBSET|HOST`. */
  readonly clusters: ReadonlyMap<string, ClusterPolicy>
}

/** The routes of a set of domains; the first that matches is taken. */
export interface VirtualHost {
  /** `namespace/name` of the VirtualService, or the host for the routes Istio makes by itself. */
  readonly name: string
  readonly domains: readonly string[]
  readonly routes: readonly RoutePolicy[]
}

/** One entry of `http:` of a VirtualService. */
export interface RoutePolicy {
  /** `http[].name`, or a name made of the VirtualService and the index; for telemetry, low in cardinality. */
  readonly name: string
  /** One of them must match; none: everything matches. */
  readonly matches: readonly RouteMatch[]
  readonly action:
    | { readonly kind: 'forward'; readonly destinations: readonly RouteDestination[] }
    | { readonly kind: 'redirect'; readonly redirect: RedirectPolicy }
    | { readonly kind: 'reply'; readonly status: number; readonly body: string }
  readonly rewrite: RewritePolicy | null
  /** The whole request with retries and back-off; 0: none (Istio's default). */
  readonly timeoutMs: number
  readonly fault: FaultPolicy | null
  readonly headers: HeaderOperations
}

/** All its conditions must hold; null: no condition. */
export interface RouteMatch {
  readonly uri: StringMatch | null
  readonly method: StringMatch | null
  readonly authority: StringMatch | null
  readonly scheme: StringMatch | null
  /** Port of the authority, or the listener's. */
  readonly port: number | null
  readonly headers: readonly NamedMatch[]
  /** None of these may match. */
  readonly withoutHeaders: readonly NamedMatch[]
  readonly queryParams: readonly NamedMatch[]
}

/** A condition on text; `kind` and `value` as configured. A regular expression is RE2 and must match the whole text. */
export interface StringMatch {
  readonly kind: 'exact' | 'prefix' | 'regex'
  readonly value: string
  readonly test: (text: string) => boolean
}

/** A condition on a header (lower-case name) or a query parameter; `match` null: it must be present. */
export interface NamedMatch {
  readonly name: string
  readonly match: StringMatch | null
}

/** One weighted destination. Weight 0 is never chosen beside others. */
export interface RouteDestination {
  /** Key of {@link ProxyPolicy.clusters}. */
  readonly cluster: string
  readonly weight: number
  /** null: no retries. */
  readonly retry: RetryPolicy | null
  /** Applied before the route's, as Envoy does with weighted clusters. */
  readonly headers: HeaderOperations
}

/** `rewrite`; `uri` replaces the matched prefix, or the whole path of an exact or regex match; the query stays. */
export interface RewritePolicy {
  readonly uri: string | null
  readonly authority: string | null
  readonly replacePath: ((path: string) => string) | null
}

/** `redirect`; null keeps what the request has. */
export interface RedirectPolicy {
  readonly uri: string | null
  readonly authority: string | null
  readonly scheme: string | null
  readonly port: number | null
  readonly status: number
}

/** Changes of the headers of request and response: `remove`, then `set` (replaces), then `add`. Names are lower case. */
export interface HeaderOperations {
  readonly request: HeaderChange
  readonly response: HeaderChange
}

/** See {@link HeaderOperations}. */
export interface HeaderChange {
  readonly remove: readonly string[]
  readonly set: readonly (readonly [name: string, value: string])[]
  readonly add: readonly (readonly [name: string, value: string])[]
}

/** `http[].fault`: the two are diced independently, the delay comes first. Percentages 0 to 100. */
export interface FaultPolicy {
  readonly delay: { readonly percent: number; readonly delayMs: number } | null
  readonly abort: {
    readonly percent: number
    readonly status: number
    readonly grpcStatus: number | null
  } | null
}

/** When and how often a failed attempt is made again. */
export interface RetryPolicy {
  /** Retries beyond the first attempt, at least 1. */
  readonly numRetries: number
  readonly retryOn: ReadonlySet<RetryCondition>
  /** For `retriable-status-codes`. */
  readonly retriableStatusCodes: ReadonlySet<number>
  /** For `retriable-headers`: lower-case names of response headers. */
  readonly retriableHeaders: readonly string[]
  /** Of each attempt, the first included; 0: none. */
  readonly perTryTimeoutMs: number
  readonly baseIntervalMs: number
  readonly maxIntervalMs: number
  /** Whether the balancer avoids the endpoints already tried (`retryIgnorePreviousHosts`). */
  readonly avoidsPreviousHosts: boolean
  /** Whether POST and PATCH without `Idempotency-Key` are retried like others; ours, default false. */
  readonly retriesNonIdempotent: boolean
}

/** One destination: a host, a port and a subset. */
export interface ClusterPolicy {
  /** `outbound|PORT|SUBSET|HOST`. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** '' for the whole service. */
  readonly subset: string
  readonly endpoints: readonly EndpointPolicy[]
  readonly pool: ConnectionPoolPolicy
  readonly retryBudget: RetryBudgetPolicy | null
  /** null: off. */
  readonly outlier: OutlierPolicy | null
  /** `minHealthPercent`: below it the balancer ignores health; 0: panic mode is off (Istio's default). */
  readonly panicThresholdPercent: number
  readonly balancer: BalancerPolicy
  /** TLS origination to the endpoints; null: plain text. */
  readonly tls: UpstreamTlsPolicy | null
}

/** One address behind a cluster: `127.0.0.1:9001`. */
export interface EndpointPolicy {
  readonly address: string
  readonly labels: Readonly<Record<string, string>>
  readonly weight: number
}

/** `connectionPool`. Limits are counted by this proxy process, not by the destination; 2^32-1 is Istio's "none". */
export interface ConnectionPoolPolicy {
  readonly maxConnections: number
  readonly maxPendingRequests: number
  readonly maxRequests: number
  /** Concurrent retries; not used where a retry budget is. */
  readonly maxRetries: number
  readonly connectTimeoutMs: number
  /** 0: no limit; 1: no keep-alive. */
  readonly maxRequestsPerConnection: number
  /** Of a connection without active request; 0: none. */
  readonly idleTimeoutMs: number
  /** Age at which a connection is drained; 0: none. */
  readonly maxConnectionDurationMs: number
  readonly keepAlive: { readonly timeMs: number; readonly intervalMs: number; readonly probes: number } | null
}

/** `retryBudget`: concurrent retries at most `percent` of active and pending requests, but `minRetries` always. */
export interface RetryBudgetPolicy {
  readonly percent: number
  readonly minRetries: number
}

/** Outlier detection with Envoy's meaning. A threshold of 0 is off; enforcing 0 to 100 percent. */
export interface OutlierPolicy {
  readonly consecutive5xx: number
  readonly enforcing5xx: number
  readonly consecutiveGateway: number
  readonly enforcingGateway: number
  readonly consecutiveLocalOrigin: number
  readonly enforcingLocalOrigin: number
  /** Local failures (connect, timeout, reset) have a counter of their own. */
  readonly splitsLocalOrigin: boolean
  readonly intervalMs: number
  readonly baseEjectionMs: number
  readonly maxEjectionMs: number
  readonly maxEjectionJitterMs: number
  readonly maxEjectionPercent: number
}

/** `loadBalancer.simple`; least request is Istio's default. */
export interface BalancerPolicy {
  readonly kind: 'round-robin' | 'random' | 'least-request'
}

/** `tls` of a traffic policy with mode SIMPLE or MUTUAL. */
export interface UpstreamTlsPolicy {
  /** '' : the host of the request. */
  readonly sni: string
  readonly caFile: string | null
  readonly certFile: string | null
  readonly keyFile: string | null
  readonly verifies: boolean
  /** Names one of which the certificate must carry; none: not checked beyond the SNI. */
  readonly subjectAltNames: readonly string[]
}
