import type { ClusterRuntime, EndpointRuntime } from '../http/cluster-runtime.ts'
import type { OutlierEvidence } from '../resilience/outlier-state.ts'

/** The clusters as `/clusters` shows them; times RFC 3339. */
export function describeClusters(clusters: Iterable<ClusterRuntime>): readonly unknown[] {
  return [...clusters].map((cluster) => ({
    name: cluster.name,
    host: cluster.policy.host,
    port: cluster.policy.port,
    subset: cluster.policy.subset,
    load: {
      ...cluster.load,
      retryLimit: cluster.retryLimit(),
      maxConnections: cluster.policy.pool.maxConnections,
      maxPendingRequests: cluster.policy.pool.maxPendingRequests,
      maxRequests: cluster.policy.pool.maxRequests,
    },
    endpoints: cluster.endpoints.map(describeEndpoint),
  }))
}

function describeEndpoint(endpoint: EndpointRuntime): unknown {
  const { outlier } = endpoint
  const { ejection } = outlier
  return {
    address: endpoint.address,
    labels: endpoint.policy.labels,
    weight: endpoint.policy.weight,
    state: ejection === null ? 'active' : 'ejected',
    ejection:
      ejection === null
        ? null
        : {
            type: ejection.type,
            at: rfc3339(ejection.atMs),
            // It returns at the first sweep from then on; null: when somebody lets it in.
            until: ejection.untilMs === Number.POSITIVE_INFINITY ? null : rfc3339(ejection.untilMs),
            evidence: ejection.evidence.map(describeEvidence),
          },
    activeRequests: endpoint.activeRequests,
    attempts: endpoint.attempts,
    failures: endpoint.failures,
    ejections: outlier.ejections,
    lastReturn: outlier.lastReturnMs === null ? null : rfc3339(outlier.lastReturnMs),
    consecutive: {
      '5xx': outlier.consecutive5xx,
      gateway: outlier.consecutiveGateway,
      localOrigin: outlier.consecutiveLocalOrigin,
    },
  }
}

function describeEvidence({ atMs, status, localOrigin, traceId }: OutlierEvidence): unknown {
  return { at: rfc3339(atMs), status, localOrigin, traceId }
}

function rfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
