import type { ClusterPolicy, ProxyPolicy } from '../policy/proxy-policy.ts'
import { type ClusterRuntime, type ClusterRuntimeOptions, createClusterRuntime } from './cluster-runtime.ts'

/** The running clusters of a proxy. */
export interface ClusterTable {
  /** By name; null: the policy has none. */
  get(name: string): ClusterRuntime | null
  all(): Iterable<ClusterRuntime>
  /** Starts a cluster that belongs to no policy: an inbound listener's. */
  add(policy: ClusterPolicy): ClusterRuntime
  /** Takes over a new policy: clusters that stay keep what they know, clusters that are gone let their requests end. */
  apply(policy: ProxyPolicy): void
}

/** Makes the clusters of a policy. Throws AppError CANNOT_START when a TLS file cannot be read. */
export function createClusterTable(
  policy: ProxyPolicy,
  makeOptions: (policy: ClusterPolicy) => ClusterRuntimeOptions,
): ClusterTable {
  const own = new Map<string, ClusterRuntime>()
  let current = new Map<string, ClusterRuntime>()

  function apply(next: ProxyPolicy): void {
    const made = new Map<string, ClusterRuntime>()
    // New clusters first: one whose files cannot be read leaves everything as it is.
    for (const cluster of next.clusters.values()) {
      if (!current.has(cluster.name)) {
        made.set(cluster.name, createClusterRuntime(makeOptions(cluster)))
      }
    }
    for (const cluster of next.clusters.values()) {
      const running = current.get(cluster.name)
      if (running === undefined) continue
      running.update(cluster)
      made.set(cluster.name, running)
    }
    for (const [name, running] of current) if (!made.has(name)) running.drain()
    current = made
  }
  apply(policy)

  return {
    get: (name) => current.get(name) ?? null,
    all: () => [...current.values(), ...own.values()],
    add(cluster) {
      const running = createClusterRuntime(makeOptions(cluster))
      own.set(cluster.name, running)
      return running
    },
    apply,
  }
}
