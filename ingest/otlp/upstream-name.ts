/**
 * The service that an upstream cluster stands for. Istio names clusters `outbound|PORT|SUBSET|HOST`; any other name is
 * taken as it is.
 */
export function serviceOfCluster(cluster: string): string {
  const parts = cluster.split('|')
  if (parts.length === 4 && (parts[0] === 'outbound' || parts[0] === 'outbound_') && parts[3] !== '') {
    return serviceOfHost(parts[3] ?? '')
  }
  // Istio's DNS form for SNI: outbound_.8080_.v1_.reviews.default.svc.cluster.local
  const sni = /^outbound_\.\d*_\.[^_]*_\.(.+)$/.exec(cluster)
  if (sni !== null) return serviceOfHost(sni[1] ?? '')
  return cluster
}

/** The service that a host name stands for: Kubernetes' `NAME.NAMESPACE.svc[.DOMAIN]` is `NAME.NAMESPACE`, as Istio calls it. */
export function serviceOfHost(host: string): string {
  const lower = host.toLowerCase()
  const at = lower.indexOf('.svc.')
  if (at > 0) return lower.slice(0, at)
  return lower.endsWith('.svc') ? lower.slice(0, -4) : lower
}

/** The host of an authority (`host:port`, `[v6]:port`). */
export function hostOfAuthority(authority: string): string {
  const bracket = /^\[([^\]]*)\]/.exec(authority)
  if (bracket !== null) return bracket[1] ?? ''
  const colon = authority.indexOf(':')
  return colon > 0 && authority.indexOf(':', colon + 1) < 0 ? authority.slice(0, colon) : authority
}

/** The host of an absolute URL; `''` where there is none. */
export function hostOfUrl(url: string): string {
  const match = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(url)
  return match === null ? '' : hostOfAuthority(match[1] ?? '')
}
