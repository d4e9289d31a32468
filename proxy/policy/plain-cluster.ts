import { clusterName } from './policy-index.ts'
import type { ClusterPolicy, EndpointPolicy } from './proxy-policy.ts'
import { trafficSettings } from './traffic-policy.ts'

/** A cluster of which no rule speaks, all defaults: what an inbound listener puts before its own service. */
export function plainCluster(
  host: string,
  port: number,
  endpoints: readonly EndpointPolicy[],
): ClusterPolicy {
  return { name: clusterName(host, port, ''), host, port, subset: '', endpoints, ...trafficSettings({}) }
}
