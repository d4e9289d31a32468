import type { ClusterPolicy } from '../policy/proxy-policy.ts'
import { MILLISECOND_BOUNDARIES } from './cluster-metrics.ts'
import {
  type HistogramCell,
  MAX_SERIES,
  type MetricCell,
  type MetricLabels,
  type MetricRegistry,
  observe,
} from './metric-registry.ts'
import type { PeerIdentity } from './peer-identity.ts'
import { flagsText, type RequestRecord } from './request-record.ts'

/** Bytes; Istio's buckets. */
export const BYTE_BOUNDARIES = [
  1, 8, 64, 512, 4096, 32_768, 262_144, 2_097_152, 16_777_216, 134_217_728, 1_073_741_824,
]

interface IstioCells {
  readonly requests: MetricCell
  readonly duration: HistogramCell
  readonly requestBytes: HistogramCell
  readonly responseBytes: HistogramCell
}

/**
 * Istio's standard metrics of HTTP: one count for each request, whatever its attempts; reporter `source` on outbound
 * listeners, `destination` on inbound ones. What is not known is `unknown`, as Istio has it.
 */
export function createIstioMetrics(
  registry: MetricRegistry,
  self: PeerIdentity,
): (record: RequestRecord) => void {
  const requests = registry.counter('istio_requests_total', 'Requests')
  const duration = registry.histogram(
    'istio_request_duration_milliseconds',
    'Time of requests, milliseconds, retries included',
    MILLISECOND_BOUNDARIES,
  )
  const requestBytes = registry.histogram('istio_request_bytes', 'Size of request bodies', BYTE_BOUNDARIES)
  const responseBytes = registry.histogram('istio_response_bytes', 'Size of response bodies', BYTE_BOUNDARIES)
  const known = new Map<string, IstioCells>()

  return (record) => {
    const key = keyOf(record)
    let cells = known.get(key)
    if (cells === undefined) {
      const labels = istioLabels(record, self)
      cells = {
        requests: requests.cell(labels),
        duration: duration.cell(labels),
        requestBytes: requestBytes.cell(labels),
        responseBytes: responseBytes.cell(labels),
      }
      if (known.size >= MAX_SERIES) known.clear()
      known.set(key, cells)
    }
    cells.requests.value += 1
    observe(cells.duration, MILLISECOND_BOUNDARIES, record.endMs - record.startMs)
    observe(cells.requestBytes, BYTE_BOUNDARIES, record.requestBytes)
    observe(cells.responseBytes, BYTE_BOUNDARIES, record.responseBytes)
  }
}

function keyOf(record: RequestRecord): string {
  const { peer, cluster, attempts } = record
  const address = attempts[attempts.length - 1]?.address ?? ''
  const who = `${peer.service}\0${peer.namespace}\0${peer.workload}\0${peer.app}\0${peer.version}`
  const what = `${record.status}\0${record.grpcStatus}\0${flagsText(record.flags)}\0${record.isGrpc}`
  return `${record.role}\0${cluster?.name ?? ''}\0${address}\0${who}\0${what}`
}

/** The labels in Istio's order. */
export function istioLabels(record: RequestRecord, self: PeerIdentity): MetricLabels {
  const { cluster } = record
  const isOutbound = record.role === 'outbound'
  const destination = isOutbound ? calleeOf(record) : self
  const source = isOutbound ? self : record.peer
  const service = isOutbound ? serviceOf(cluster) : { host: hostOf(self), ...self }
  return {
    reporter: isOutbound ? 'source' : 'destination',
    source_workload: known(source.workload),
    source_canonical_service: known(source.service),
    source_canonical_revision: source.version === '' ? 'latest' : source.version,
    source_workload_namespace: known(source.namespace),
    source_principal: 'unknown',
    source_app: known(source.app),
    source_version: known(source.version),
    source_cluster: 'unknown',
    destination_workload: known(destination.workload),
    destination_workload_namespace: known(destination.namespace),
    destination_principal: 'unknown',
    destination_app: known(destination.app),
    destination_version: known(destination.version),
    destination_service: known(service.host),
    destination_canonical_service: known(destination.service),
    destination_canonical_revision: destination.version === '' ? 'latest' : destination.version,
    destination_service_name: known(service.service),
    destination_service_namespace: known(service.namespace),
    destination_cluster: 'unknown',
    request_protocol: record.isGrpc ? 'grpc' : 'http',
    response_code: String(record.status),
    grpc_response_status: record.grpcStatus === -1 ? '' : String(record.grpcStatus),
    response_flags: flagsText(record.flags),
    connection_security_policy: isOutbound ? 'unknown' : 'none',
  }
}

/** What the callee's proxy said of itself, else what the endpoint's labels say. */
function calleeOf(record: RequestRecord): PeerIdentity {
  if (record.peer.service !== '') return record.peer
  const { cluster, attempts } = record
  const address = attempts[attempts.length - 1]?.address
  const labels = cluster?.endpoints.find((endpoint) => endpoint.address === address)?.labels ?? {}
  const app = labels['app'] ?? ''
  const service = serviceOf(cluster)
  return {
    service: labels['service.istio.io/canonical-name'] ?? (app === '' ? service.service : app),
    namespace: service.namespace,
    workload: labels['workload'] ?? '',
    app,
    version: labels['version'] ?? '',
  }
}

function serviceOf(cluster: ClusterPolicy | null): {
  readonly host: string
  readonly service: string
  readonly namespace: string
} {
  if (cluster === null) return { host: '', service: '', namespace: '' }
  const { host } = cluster
  const [service = '', namespace = ''] = host.endsWith('.svc.cluster.local') ? host.split('.') : [host]
  return { host, service, namespace }
}

function hostOf(self: PeerIdentity): string {
  return `${self.service}.${self.namespace}.svc.cluster.local`
}

function known(text: string): string {
  return text === '' ? 'unknown' : text
}
