import type { BreakerName } from './mesh-events.ts'
import {
  MAX_SERIES,
  type MetricFamily,
  type MetricLabels,
  type MetricRegistry,
  observe,
} from './metric-registry.ts'
import type { AttemptRecord, RequestRecord } from './request-record.ts'

const ATTEMPT_BOUNDARIES = [1, 2, 3, 4, 5, 10]
const SECOND_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** Counts what neither Istio nor Envoy tells, and OpenTelemetry's durations. */
export interface MeshMetrics {
  request(record: RequestRecord): void
  rejected(cluster: string, breaker: BreakerName | 'retry_budget'): void
  /** 1 while the endpoint is ejected; a series ends an hour after the last ejection. */
  readonly ejected: ReturnType<MetricRegistry['gauge']>
}

/** Makes the counters named `mesh.*` and `http.*.request.duration`. */
export function createMeshMetrics(registry: MetricRegistry): MeshMetrics {
  const attempts = registry.histogram('mesh.request.attempts', 'Attempts of a request', ATTEMPT_BOUNDARIES, {
    textName: 'mesh_request_attempts',
  })
  const decisions = registry.counter(
    'mesh.retry.decisions',
    'What was decided after an attempt that failed',
    {
      textName: 'mesh_retry_decisions_total',
    },
  )
  const fates = registry.counter('mesh.request.fate', 'Requests by what became of them', {
    textName: 'mesh_request_fate_total',
  })
  const rejections = registry.counter(
    'mesh.breaker.rejections',
    'Requests and retries that a limit refused',
    {
      textName: 'mesh_breaker_rejections_total',
    },
  )
  const tries = registry.counter('mesh.lb.requests', 'Attempts by endpoint', {
    textName: 'mesh_lb_requests_total',
  })
  const ejected = registry.gauge('mesh.outlier.ejected', 'Whether the endpoint is ejected', {
    textName: 'mesh_outlier_ejected',
  })
  const served = registry.histogram(
    'http.server.request.duration',
    'Time of requests, seconds',
    SECOND_BOUNDARIES,
    { textName: 'http_server_request_duration_seconds', unit: 's' },
  )
  const called = registry.histogram(
    'http.client.request.duration',
    'Time of attempts, seconds',
    SECOND_BOUNDARIES,
    { textName: 'http_client_request_duration_seconds', unit: 's' },
  )
  const count = (family: typeof decisions, labels: MetricLabels): void => {
    cached(family, labels).value += 1
  }
  return {
    ejected,
    request(record) {
      const cluster = record.cluster?.name ?? 'none'
      const outcome = fateOf(record)
      count(fates, { cluster_name: cluster, 'mesh.request.fate': outcome })
      observe(
        cached(attempts, { cluster_name: cluster, 'mesh.request.fate': outcome }),
        ATTEMPT_BOUNDARIES,
        record.attempts.length,
      )
      const shared = { 'http.request.method': record.method, 'url.scheme': 'http' }
      observe(
        cached(served, {
          ...shared,
          'http.route': record.pathTemplate,
          'http.response.status_code': String(record.status),
          'mesh.proxy.role': record.role,
        }),
        SECOND_BOUNDARIES,
        (record.endMs - record.startMs) / 1000,
      )
      for (const attempt of record.attempts) {
        if (attempt.address !== '') {
          count(tries, { cluster_name: cluster, upstream_address: attempt.address })
        }
        countDecision(record, attempt, cluster)
        observe(
          cached(called, {
            ...shared,
            'server.address': record.cluster?.host ?? record.authority,
            'server.port': String(record.cluster?.port ?? 80),
            'http.response.status_code': String(attempt.status),
          }),
          SECOND_BOUNDARIES,
          (attempt.endMs - attempt.startMs) / 1000,
        )
      }
    },
    rejected: (cluster, breaker) =>
      count(rejections, { cluster_name: cluster, 'mesh.breaker.limit': breaker }),
  }

  function countDecision(record: RequestRecord, attempt: AttemptRecord, cluster: string): void {
    const next = record.attempts[attempt.number + 1]
    const reason = attempt.verdict === 'retried' ? next?.retryReason : attempt.withheld
    const isFailure = attempt.reset !== null || attempt.status >= 500
    if (attempt.verdict === null || (reason === null && !isFailure)) return
    const why = reason ?? attempt.reset ?? String(attempt.status)
    count(decisions, {
      cluster_name: cluster,
      'mesh.retry.reason': why,
      'mesh.retry.decision': attempt.verdict,
    })
  }
}

/** `success`, `success_after_retry`, `failed_after_retry`, `failed_not_retried`, `rejected_local` or `canceled`. */
export function fateOf(record: RequestRecord): string {
  if (record.flags.has('DC')) return 'canceled'
  const isRetried = record.attempts.length > 1
  if (record.status < 500 && !record.flags.has('NR')) return isRetried ? 'success_after_retry' : 'success'
  if (isRetried) return 'failed_after_retry'
  const { flags } = record
  const isLocal = flags.has('UO') || flags.has('UH') || flags.has('NR') || flags.has('FI')
  return isLocal ? 'rejected_local' : 'failed_not_retried'
}

const remembered = new WeakMap<object, Map<string, unknown>>()

/** A family's cell by the values of its labels, whose names are always the same: cheaper than asking the family. */
function cached<Cell>(family: MetricFamily<Cell>, labels: MetricLabels): Cell {
  let cells = remembered.get(family) as Map<string, Cell> | undefined
  if (cells === undefined) {
    cells = new Map()
    remembered.set(family, cells)
  }
  let key = ''
  for (const name in labels) key += `${labels[name]}\0`
  const known = cells.get(key)
  if (known !== undefined) return known
  const cell = family.cell(labels)
  if (cells.size >= MAX_SERIES) cells.clear()
  cells.set(key, cell)
  return cell
}
