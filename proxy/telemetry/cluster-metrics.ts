import type { HistogramCell, MetricCell, MetricFamily, MetricRegistry } from './metric-registry.ts'

/** Envoy's cluster statistics that count up: what follows `envoy_cluster_`, and its help. */
export const CLUSTER_COUNTERS = {
  upstream_rq_total: 'Attempts that got a connection',
  upstream_rq_pending_total: 'Attempts that waited for a connection',
  upstream_rq_pending_overflow: 'Attempts refused by the pending or the request breaker',
  upstream_rq_pending_failure_eject: 'Attempts that waited for a connection that could not be made',
  upstream_rq_completed: 'Responses whose head arrived',
  upstream_rq_cancelled: 'Attempts given up before a connection was there',
  upstream_rq_timeout: 'Requests that used up the time of their route',
  upstream_rq_per_try_timeout: 'Attempts that used up their time',
  upstream_rq_rx_reset: 'Attempts ended by the upstream without a response',
  upstream_rq_tx_reset: 'Attempts ended by this proxy without a response',
  upstream_rq_retry: 'Retries',
  upstream_rq_retry_success: 'Retries that brought an answer which the policy would not retry',
  upstream_rq_retry_overflow: 'Retries refused by max_retries or the retry budget',
  upstream_rq_retry_limit_exceeded: 'Requests whose retries were used up',
  upstream_rq_retry_backoff_exponential: 'Retries after the exponential back-off',
  upstream_rq_retry_backoff_ratelimited: 'Retries after a wait that the upstream asked for',
  retry_or_shadow_abandoned: 'Requests not retried because their body outgrew the buffer',
  upstream_cx_total: 'Connections opened',
  upstream_cx_connect_fail: 'Connections that could not be made',
  upstream_cx_connect_timeout: 'Connections that were not made in time',
  upstream_cx_overflow: 'Times that max_connections made an attempt wait',
  upstream_cx_destroy: 'Connections ended',
  upstream_cx_destroy_with_active_rq: 'Connections ended under a request',
  upstream_cx_none_healthy: 'Attempts for which no endpoint could be chosen',
  upstream_flow_control_paused_reading_total:
    'Times that a slow caller made the proxy stop reading the response',
  lb_healthy_panic: 'Choices made among all endpoints because too few were healthy',
  membership_change: 'Changes of the set of endpoints',
  outlier_detection_ejections_enforced_total: 'Ejections',
  outlier_detection_ejections_overflow: 'Ejections that maxEjectionPercent forbade',
  outlier_detection_ejections_enforced_consecutive_5xx: 'Ejections after consecutive 5xx',
  outlier_detection_ejections_enforced_consecutive_gateway_failure:
    'Ejections after consecutive 502, 503, 504',
  outlier_detection_ejections_enforced_consecutive_local_origin_failure:
    'Ejections after consecutive local failures',
  outlier_detection_ejections_detected_consecutive_5xx: 'Runs of 5xx, ejected or not',
  outlier_detection_ejections_detected_consecutive_gateway_failure: 'Runs of 502, 503, 504, ejected or not',
  outlier_detection_ejections_detected_consecutive_local_origin_failure:
    'Runs of local failures, ejected or not',
} as const

/** Envoy's cluster statistics that are read when they are asked for. */
export const CLUSTER_GAUGES = {
  upstream_rq_active: 'Attempts under way on a connection',
  upstream_rq_pending_active: 'Attempts waiting for a connection',
  upstream_cx_active: 'Connections, those being opened included',
  membership_total: 'Endpoints',
  membership_healthy: 'Endpoints that are not ejected',
  outlier_detection_ejections_active: 'Endpoints ejected now',
  circuit_breakers_default_cx_open: 'Whether max_connections was reached since the export before the last',
  circuit_breakers_default_rq_pending_open:
    'Whether http1MaxPendingRequests was reached since the export before the last',
  circuit_breakers_default_rq_open: 'Whether http2MaxRequests was reached since the export before the last',
  circuit_breakers_default_rq_retry_open:
    'Whether maxRetries or the retry budget was reached since the export before the last',
  circuit_breakers_default_remaining_cx: 'Connections left',
  circuit_breakers_default_remaining_pending: 'Waiting requests left',
  circuit_breakers_default_remaining_rq: 'Requests left',
  circuit_breakers_default_remaining_retries: 'Concurrent retries left',
} as const

/** One of Envoy's counters. */
export type ClusterCounter = keyof typeof CLUSTER_COUNTERS
/** One of Envoy's gauges. */
export type ClusterGauge = keyof typeof CLUSTER_GAUGES

/** Milliseconds; Envoy's default buckets. */
export const MILLISECOND_BOUNDARIES = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
]

/** The statistics of one cluster: cells found once. */
export interface ClusterMetrics {
  readonly counters: Readonly<Record<ClusterCounter, MetricCell>>
  readonly gauges: Readonly<Record<ClusterGauge, MetricCell>>
  /** `upstream_rq{response_code}` and `upstream_rq_xx{response_code_class}`: responses that ended a request. */
  countFinal(status: number): void
  /** `retry_upstream_rq{response_code}`: responses after which the request was tried again. */
  countRetried(status: number): void
  /** Milliseconds of an attempt's way to the end of its response. */
  readonly requestTime: HistogramCell
  readonly connectTime: HistogramCell
}

/** Makes the statistics of clusters, all with the label `cluster_name`, as Istio's proxies have it. */
export function createClusterMetricsFactory(
  registry: MetricRegistry,
): (clusterName: string) => ClusterMetrics {
  const name = (stat: string) => `envoy_cluster_${stat}`
  const families = <Stat extends string>(
    help: Readonly<Record<Stat, string>>,
    make: (name: string, help: string) => MetricFamily<MetricCell>,
  ) => Object.entries<string>(help).map(([stat, text]) => [stat as Stat, make(name(stat), text)] as const)
  const counters = families(CLUSTER_COUNTERS, registry.counter)
  const gauges = families(CLUSTER_GAUGES, registry.gauge)
  const byCode = registry.counter(name('upstream_rq'), 'Final responses by status')
  const byClass = registry.counter(name('upstream_rq_xx'), 'Final responses by class of status')
  const retriedByCode = registry.counter(name('retry_upstream_rq'), 'Retried responses by status')
  const requestTime = registry.histogram(
    name('upstream_rq_time'),
    'Time of attempts, milliseconds',
    MILLISECOND_BOUNDARIES,
  )
  const connectTime = registry.histogram(
    name('upstream_cx_connect_ms'),
    'Time to connect, milliseconds',
    MILLISECOND_BOUNDARIES,
  )
  return (clusterName) => {
    const labels = { cluster_name: clusterName }
    const cells = <Stat extends string>(of: readonly (readonly [Stat, MetricFamily<MetricCell>])[]) =>
      Object.fromEntries(of.map(([stat, family]) => [stat, family.cell(labels)])) as Record<Stat, MetricCell>
    const cellOf = cachedByStatus((status) => byCode.cell({ ...labels, response_code: String(status) }))
    const classOf = cachedByStatus((digit) =>
      byClass.cell({
        ...labels,
        response_code_class: `${digit}xx`,
        envoy_response_code_class: String(digit),
      }),
    )
    const retriedOf = cachedByStatus((status) =>
      retriedByCode.cell({ ...labels, response_code: String(status) }),
    )
    return {
      counters: cells(counters),
      gauges: cells(gauges),
      countFinal(status) {
        cellOf(status).value += 1
        classOf(Math.floor(status / 100)).value += 1
      },
      countRetried(status) {
        retriedOf(status).value += 1
      },
      requestTime: requestTime.cell(labels),
      connectTime: connectTime.cell(labels),
    }
  }
}

function cachedByStatus(make: (status: number) => MetricCell): (status: number) => MetricCell {
  const cells = new Map<number, MetricCell>()
  return (status) => {
    const known = cells.get(status)
    if (known !== undefined) return known
    const made = make(status)
    cells.set(status, made)
    return made
  }
}
