import { buildRoute, NO_HEADERS, type RouteContext } from './build-route.ts'
import { isForNamespace } from './export-to.ts'
import { lintRoute } from './lint-route.ts'
import type { PolicyReport } from './policy-report.ts'
import type { ProxyPolicy, RouteMatch, RoutePolicy, VirtualHost } from './proxy-policy.ts'
import { hostDomains } from './resolve-host.ts'
import { DEFAULT_RETRY_POLICY } from './retry-policy.ts'
import { type PolicyMode, validateDocument } from './validate-document.ts'
import { type VirtualService, virtualServiceSchema } from './virtual-service-schema.ts'

/** Domains of a policy while it is built. */
export interface VirtualHosts {
  readonly exact: Map<string, VirtualHost>
  /** Keys `.example.com`; `''` for `*`. */
  readonly suffix: Map<string, VirtualHost>
}

/** What {@link addVirtualService} needs besides the document. */
export type VirtualServiceContext = Omit<RouteContext, 'namespace' | 'port'> & { readonly mode: PolicyMode }

/**
 * Takes one VirtualService in. A host belongs to the first VirtualService that names it, as in Istio; later ones are
 * reported.
 */
export function addVirtualService(hosts: VirtualHosts, context: VirtualServiceContext): void {
  const { document, report, source, index } = context
  const valid = validateDocument(virtualServiceSchema, document, report, context.mode)
  if (valid === null) return
  const { spec } = valid
  const namespace = document.namespace || source.namespace
  const gateways = spec.gateways ?? ['mesh']
  if (!gateways.includes('mesh')) {
    const message = `is for the gateways ${gateways.join(', ')} only, not for the mesh: not used`
    report.warn('NOT_SELECTED', ['spec', 'gateways'], message)
    return
  }
  if (!isForNamespace(spec.exportTo, namespace, source.namespace)) {
    report.warn('NOT_SELECTED', ['spec', 'exportTo'], `is not for namespace ${source.namespace}: not used`)
    return
  }
  if (spec.http === undefined || spec.http.length === 0) {
    report.warn(
      'NOT_SELECTED',
      ['spec'],
      'has no http routes: its hosts keep the routes that they have without it',
    )
    return
  }
  const name = `${namespace}/${document.name}`
  // The routes are the same for every host and port but for ports that destinations leave out; they are reported once.
  const routesAt = (port: number | null, to: PolicyReport) =>
    buildRoutes(spec, { ...context, namespace, report: to, port })
  const base = routesAt(null, report)
  spec.hosts.forEach((host, number) => {
    const full = index.hostOf(host, namespace)
    const place = ['spec', 'hosts', number]
    const add = (domains: readonly string[], routes: readonly RoutePolicy[]): void => {
      const taken = domains.find((domain) => isTaken(hosts, domain))
      if (taken !== undefined) {
        const message = `${full} belongs to ${ownerOf(hosts, taken)}: these routes are ignored for it`
        report.warn('HOST_DUPLICATE', place, message)
        return
      }
      addHost(hosts, { name, domains, routes })
    }
    const domains = hostDomains(full, source.namespace)
    add(domains, base)
    const ports = index.portsOf(full)
    if (ports.length > 1) {
      for (const port of ports) {
        addHost(hosts, {
          name,
          domains: domains.map((domain) => `${domain}:${port}`),
          routes: routesAt(port, SILENT),
        })
      }
    }
  })
}

/** Adds the host and routes that Istio makes for a service without VirtualService: all to it, with default retries. */
export function addDefaultHost(
  hosts: VirtualHosts,
  host: string,
  context: Pick<VirtualServiceContext, 'index' | 'source'>,
): void {
  const { index } = context
  const add = (domains: readonly string[], port: number): void => {
    const cluster = index.cluster(host, port, '')
    const dialect = index.dialectRetry(host, port, '')
    const retry = dialect === undefined ? DEFAULT_RETRY_POLICY : dialect
    const free = domains.filter((domain) => !hosts.exact.has(domain))
    const route: RoutePolicy = {
      name: 'default',
      matches: [],
      action: {
        kind: 'forward',
        destinations: [{ cluster: cluster.name, weight: 1, retry, headers: NO_HEADERS }],
      },
      rewrite: null,
      timeoutMs: 0,
      fault: null,
      headers: NO_HEADERS,
    }
    addHost(hosts, { name: host, domains: free, routes: [route] })
  }
  const domains = hostDomains(host, context.source.namespace)
  const ports = index.portsOf(host)
  const [first] = ports
  if (first !== undefined) add(domains, first)
  if (ports.length < 2) return
  for (const port of ports) {
    // Routes of a VirtualService hold for every port of its host.
    const isOwned = hosts.exact.get(domains[0] ?? '')?.name !== host
    if (!isOwned)
      add(
        domains.map((domain) => `${domain}:${port}`),
        port,
      )
  }
}

/** The finished tables. */
export function hostTables(hosts: VirtualHosts): Pick<ProxyPolicy, 'exactHosts' | 'suffixHosts' | 'anyHost'> {
  const suffixes = [...hosts.suffix].filter(([suffix]) => suffix !== '')
  return {
    exactHosts: hosts.exact,
    suffixHosts: suffixes
      .map(([suffix, host]) => ({ suffix, host }))
      .sort((a, b) => b.suffix.length - a.suffix.length),
    anyHost: hosts.suffix.get('') ?? null,
  }
}

const SILENT: PolicyReport = { warn: () => {}, fail: () => {} }

function buildRoutes(spec: VirtualService['spec'], context: RouteContext): readonly RoutePolicy[] {
  const routes: RoutePolicy[] = []
  let catchAll: string | null = null
  for (const [number, written] of (spec.http ?? []).entries()) {
    if (catchAll !== null) {
      const message = `${catchAll} matches every request: this route is never reached`
      context.report.warn('ROUTE_UNREACHABLE', ['spec', 'http', number], message)
      continue
    }
    const route = buildRoute(written, number, context)
    if (route === null) continue
    routes.push(route)
    lintRoute(written, route, number, context)
    if (route.matches.length === 0 || route.matches.some(isCatchAll)) catchAll = route.name
  }
  return routes
}

function isCatchAll(match: RouteMatch): boolean {
  const { uri, method, authority, scheme, port, headers, withoutHeaders, queryParams } = match
  const isAnyPath = uri === null || (uri.kind === 'prefix' && uri.value === '/')
  const others = [method, authority, scheme, port]
  const named = [...headers, ...withoutHeaders, ...queryParams]
  return isAnyPath && others.every((condition) => condition === null) && named.length === 0
}

function addHost(hosts: VirtualHosts, host: VirtualHost): void {
  for (const domain of host.domains) {
    if (domain.startsWith('*')) hosts.suffix.set(domain.slice(1), host)
    else hosts.exact.set(domain, host)
  }
}

function isTaken(hosts: VirtualHosts, domain: string): boolean {
  return domain.startsWith('*') ? hosts.suffix.has(domain.slice(1)) : hosts.exact.has(domain)
}

function ownerOf(hosts: VirtualHosts, domain: string): string {
  const owner = domain.startsWith('*') ? hosts.suffix.get(domain.slice(1)) : hosts.exact.get(domain)
  return `VirtualService ${owner?.name ?? ''}`
}
