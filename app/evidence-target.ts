import { serviceOfCluster } from '../ingest/otlp/upstream-name.ts'
import { type Labels, labelValue } from '../model/labels.ts'

/** Whom an alert is about, as traces and roll-ups name it. */
export interface EvidenceTarget {
  /** Names that callers may give the service; empty: the alert names no callee. */
  readonly upstreams: readonly string[]
  /** The proxies' name of the group of endpoints; null: the alert names none. */
  readonly cluster: string | null
  /** The service itself, where the alert names one that is not a callee. */
  readonly service: string | null
}

/**
 * Reads the target out of an alert's labels: `cluster_name` or `envoy_cluster_name` (Envoy), `destination_service_name` with its namespace
 * (Istio), `service`, `service_name`, `source_workload`.
 */
export function evidenceTarget(labels: Labels): EvidenceTarget {
  const cluster = labelValue(labels, 'cluster_name') || labelValue(labels, 'envoy_cluster_name')
  const destination = labelValue(labels, 'destination_service_name') || labelValue(labels, 'upstream')
  const namespace = labelValue(labels, 'destination_service_namespace')
  const service = ['service', 'service_name', 'source_workload', 'job']
    .map((name) => labelValue(labels, name))
    .find(Boolean)
  const upstreams = new Set<string>()
  if (cluster !== '') upstreams.add(serviceOfCluster(cluster))
  if (destination !== '') {
    if (namespace !== '' && namespace !== 'unknown') upstreams.add(`${destination}.${namespace}`)
    upstreams.add(destination)
  }
  return {
    upstreams: [...upstreams],
    cluster: cluster === '' ? null : cluster,
    service: upstreams.size > 0 ? null : (service ?? null),
  }
}
