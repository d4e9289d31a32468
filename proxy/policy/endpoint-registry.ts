import { type EndpointsEntry, endpointsSchema } from './endpoints-schema.ts'
import type { PolicyDocument } from './policy-document.ts'
import type { PolicyReport } from './policy-report.ts'
import type { EndpointPolicy } from './proxy-policy.ts'
import { hostDomains, resolveHost } from './resolve-host.ts'
import { type PolicyMode, validateDocument } from './validate-document.ts'

/** One port of a host with those who stand behind it. */
export interface ServicePort {
  readonly port: number
  readonly endpoints: readonly EndpointPolicy[]
  /** Subsets of the endpoints file; those of a DestinationRule go before. */
  readonly subsets: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/** Ports by full host name, in the order of the files. */
export type EndpointRegistry = Map<string, ServicePort[]>

/** Adds an endpoints document. The same host and port a second time is a finding `HOST_DUPLICATE`, and the first counts. */
export function addEndpoints(
  registry: EndpointRegistry,
  document: PolicyDocument,
  report: PolicyReport,
  mode: PolicyMode,
  namespace: string,
): void {
  const valid = validateDocument(endpointsSchema, document, report, mode)
  if (valid === null) return
  valid.clusters.forEach((entry, index) => {
    const host = resolveHost(entry.host, namespace)
    const ports = registry.get(host) ?? []
    if (ports.some((known) => known.port === entry.port)) {
      const message = `${host} port ${entry.port} has endpoints already: these are ignored`
      report.fail('HOST_DUPLICATE', ['clusters', index, 'host'], message)
      return
    }
    registry.set(host, [...ports, servicePort(entry)])
  })
}

function servicePort(entry: EndpointsEntry): ServicePort {
  const { port, endpoints, subsets } = entry
  return { port, endpoints, subsets: new Map(subsets.map((subset) => [subset.name, subset.labels])) }
}

/** The full name of a host that a rule may have written in part (`payments.shop`); what is unknown stays as resolved. */
export function knownHost(registry: EndpointRegistry, host: string, namespace: string): string {
  const resolved = resolveHost(host, namespace)
  if (registry.has(resolved)) return resolved
  for (const known of registry.keys()) if (hostDomains(known, namespace).includes(resolved)) return known
  return resolved
}
