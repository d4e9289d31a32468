import type { DestinationRule } from './destination-rule-schema.ts'
import { type EndpointRegistry, knownHost } from './endpoint-registry.ts'
import type { ClusterPolicy, RetryPolicy } from './proxy-policy.ts'
import { coversHost } from './resolve-host.ts'
import { resolveDialectRetry } from './retry-policy.ts'
import { effectiveTrafficPolicy, trafficSettings } from './traffic-policy.ts'

/** The port of a host of which nothing is known. */
export const DEFAULT_PORT = 80

/** Rules of the hosts, ready to be asked for clusters; makes each cluster once. */
export interface PolicyIndex {
  /** The name of the host in full, as far as the endpoints tell. */
  readonly hostOf: (host: string, namespace: string) => string
  /** Ports of a host in the order of the files; empty when nothing is known of it. */
  readonly portsOf: (host: string) => readonly number[]
  /** The cluster, made if need be; a host or subset without endpoints gives a cluster without endpoints. */
  readonly cluster: (host: string, port: number, subset: string) => ClusterPolicy
  readonly hasSubset: (host: string, subset: string) => boolean
  /** What `trafficPolicy.retryPolicy` of the cluster's rule means; undefined: it has none. */
  readonly dialectRetry: (host: string, port: number, subset: string) => RetryPolicy | null | undefined
  readonly clusters: ReadonlyMap<string, ClusterPolicy>
}

/** Makes an index over endpoints and merged DestinationRules (by their resolved `host`). */
export function createPolicyIndex(
  registry: EndpointRegistry,
  rules: ReadonlyMap<string, DestinationRule['spec']>,
  usesDialect: boolean,
): PolicyIndex {
  const clusters = new Map<string, ClusterPolicy>()
  const ruleOf = (host: string): DestinationRule['spec'] | null => findRule(rules, host)
  const servicePort = (host: string, port: number) => registry.get(host)?.find((entry) => entry.port === port)

  const subsetLabels = (
    host: string,
    port: number,
    subset: string,
  ): Readonly<Record<string, string>> | null => {
    if (subset === '') return {}
    const own = ruleOf(host)?.subsets?.find((candidate) => candidate.name === subset)
    return own === undefined ? (servicePort(host, port)?.subsets.get(subset) ?? null) : (own.labels ?? {})
  }

  const makeCluster = (host: string, port: number, subset: string): ClusterPolicy => {
    const labels = subsetLabels(host, port, subset)
    const endpoints = labels === null ? [] : (servicePort(host, port)?.endpoints ?? [])
    return {
      name: clusterName(host, port, subset),
      host,
      port,
      subset,
      endpoints: endpoints.filter((endpoint) =>
        Object.entries(labels ?? {}).every(([name, value]) => endpoint.labels[name] === value),
      ),
      ...trafficSettings(effectiveTrafficPolicy(ruleOf(host), port, subset)),
    }
  }

  return {
    hostOf: (host, namespace) => knownHost(registry, host, namespace),
    portsOf: (host) => (registry.get(host) ?? []).map((entry) => entry.port),
    cluster: (host, port, subset) => {
      const name = clusterName(host, port, subset)
      const known = clusters.get(name)
      if (known !== undefined) return known
      const made = makeCluster(host, port, subset)
      clusters.set(name, made)
      return made
    },
    hasSubset: (host, subset) =>
      ruleOf(host)?.subsets?.some((candidate) => candidate.name === subset) === true ||
      (registry.get(host) ?? []).some((entry) => entry.subsets.has(subset)),
    dialectRetry: (host, port, subset) => {
      const policy = effectiveTrafficPolicy(ruleOf(host), port, subset).retryPolicy
      return policy === undefined || !usesDialect ? undefined : resolveDialectRetry(policy)
    },
    clusters,
  }
}

/** Istio's name of an outbound cluster: `outbound|PORT|SUBSET|HOST`. */
export function clusterName(host: string, port: number, subset: string): string {
  return `outbound|${port}|${subset}|${host}`
}

function findRule(
  rules: ReadonlyMap<string, DestinationRule['spec']>,
  host: string,
): DestinationRule['spec'] | null {
  const exact = rules.get(host)
  if (exact !== undefined) return exact
  // The most specific wildcard wins.
  const [covering] = [...rules.keys()]
    .filter((ruleHost) => coversHost(ruleHost, host))
    .sort((a, b) => b.length - a.length)
  return covering === undefined ? null : (rules.get(covering) ?? null)
}
