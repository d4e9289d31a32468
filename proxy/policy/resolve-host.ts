import { isIP } from 'node:net'

/** What Kubernetes appends to a service's name and namespace. */
export const CLUSTER_DOMAIN = 'svc.cluster.local'

/**
 * The full name of a host in a rule of `namespace`: a name without dot is a service of that namespace
 * (Istio's `ResolveShortnameToFQDN`); everything else, `payments.shop` too, stays as it is. Lower case.
 */
export function resolveHost(host: string, namespace: string): string {
  const name = host.toLowerCase()
  if (name === '*' || name.includes('.') || isIP(name) !== 0) return name
  return `${name}.${namespace}.${CLUSTER_DOMAIN}`
}

/** The names by which a proxy in `namespace` reaches the host, as Istio lists them in a route configuration. */
export function hostDomains(fullName: string, namespace: string): readonly string[] {
  const suffix = `.${CLUSTER_DOMAIN}`
  if (!fullName.endsWith(suffix)) return [fullName]
  const [name = '', home = '', ...rest] = fullName.slice(0, -suffix.length).split('.')
  if (name === '' || name.startsWith('*') || home === '' || rest.length > 0) return [fullName]
  const domains = [fullName, `${name}.${home}.svc`, `${name}.${home}`]
  return home === namespace ? [...domains, name] : domains
}

/** The host that a rule written for `ruleHost` (resolved, perhaps with a leading `*`) covers. */
export function coversHost(ruleHost: string, host: string): boolean {
  if (ruleHost === '*' || ruleHost === host) return true
  return ruleHost.startsWith('*') && host.endsWith(ruleHost.slice(1)) && host.length >= ruleHost.length
}
