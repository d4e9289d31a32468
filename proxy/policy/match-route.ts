import type {
  ClusterPolicy,
  HeaderChange,
  NamedMatch,
  ProxyPolicy,
  RedirectPolicy,
  RetryPolicy,
  RouteDestination,
  RouteMatch,
  RoutePolicy,
  VirtualHost,
} from './proxy-policy.ts'

/** What of a request decides on its route. */
export interface RequestHead {
  readonly method: string
  /** Path and query as received; nothing is decoded or normalized. */
  readonly path: string
  /** The `Host` header. */
  readonly authority: string
  readonly scheme: 'http' | 'https'
  /** The value of a header by lower-case name, several joined with a comma; undefined: absent. */
  readonly header: (name: string) => string | undefined
}

/** Where a request goes. */
export type RouteDecision =
  /** No host or no route: 404 with flag NR. */
  | { readonly kind: 'none' }
  /** An answer of our own: a redirect or a direct response. */
  | {
      readonly kind: 'reply'
      readonly route: RoutePolicy
      readonly pathTemplate: string
      readonly status: number
      readonly location: string | null
      readonly body: string
      readonly responseHeaders: readonly HeaderChange[]
    }
  | ForwardDecision

/** A request to be sent upstream. */
export interface ForwardDecision {
  readonly kind: 'forward'
  readonly route: RoutePolicy
  /** `http.route` for telemetry: the path as the match writes it, `*` for the rest: `/api/*`, `/*`. */
  readonly pathTemplate: string
  readonly destination: RouteDestination
  readonly cluster: ClusterPolicy
  readonly retry: RetryPolicy | null
  /** Path and query for the upstream. */
  readonly path: string
  /** `Host` for the upstream. */
  readonly authority: string
  /** To be applied in this order. */
  readonly requestHeaders: readonly HeaderChange[]
  readonly responseHeaders: readonly HeaderChange[]
}

/**
 * Finds the virtual host by authority (exact with port, exact without, longest suffix, any), then the first route that matches, then one of
 * its destinations by weight. `random` gives numbers in `[0, 1)`.
 */
export function matchRoute(policy: ProxyPolicy, head: RequestHead, random: () => number): RouteDecision {
  const host = findHost(policy, head.authority)
  if (host === null) return { kind: 'none' }
  const path = splitPath(head.path)
  for (const route of host.routes) {
    if (route.matches.length === 0) return decide(policy, route, null, head, path, random)
    const match = route.matches.find((candidate) => isMatch(candidate, head, path))
    if (match !== undefined) return decide(policy, route, match, head, path, random)
  }
  return { kind: 'none' }
}

/** The virtual host of an authority such as `payments:8080`; null: none. */
export function findHost(policy: ProxyPolicy, authority: string): VirtualHost | null {
  const full = authority.toLowerCase()
  const exact = policy.exactHosts.get(full)
  if (exact !== undefined) return exact
  const name = withoutPort(full)
  const bare = policy.exactHosts.get(name)
  if (bare !== undefined) return bare
  const suffix = policy.suffixHosts.find(
    (entry) => name.endsWith(entry.suffix) && name.length > entry.suffix.length,
  )
  return suffix?.host ?? policy.anyHost
}

/** The port of an authority, or the scheme's. */
export function authorityPort(authority: string, scheme: 'http' | 'https'): number {
  const port = /:(\d{1,5})$/.exec(authority)?.[1]
  if (port !== undefined) return Number(port)
  return scheme === 'https' ? 443 : 80
}

function withoutPort(authority: string): string {
  return authority.replace(/:\d+$/, '')
}

interface RequestPath {
  readonly path: string
  /** With its question mark; '' without. */
  readonly query: string
}

function splitPath(text: string): RequestPath {
  const end = text.indexOf('?')
  return end === -1 ? { path: text, query: '' } : { path: text.slice(0, end), query: text.slice(end) }
}

function isMatch(match: RouteMatch, head: RequestHead, { path, query }: RequestPath): boolean {
  if (match.uri?.test(path) === false) return false
  if (match.method?.test(head.method) === false) return false
  if (match.authority?.test(head.authority) === false) return false
  if (match.scheme?.test(head.scheme) === false) return false
  if (match.port !== null && match.port !== authorityPort(head.authority, head.scheme)) return false
  if (!match.headers.every((condition) => isNamedMatch(condition, head.header(condition.name)))) return false
  if (match.withoutHeaders.some((condition) => isNamedMatch(condition, head.header(condition.name))))
    return false
  return match.queryParams.every((condition) => isNamedMatch(condition, queryValue(query, condition.name)))
}

function isNamedMatch(condition: NamedMatch, value: string | undefined): boolean {
  return value !== undefined && (condition.match === null || condition.match.test(value))
}

/** The first value of a parameter, not decoded, as Envoy compares it. */
function queryValue(query: string, name: string): string | undefined {
  for (const pair of query.slice(1).split('&')) {
    const [key, ...rest] = pair.split('=')
    if (key === name) return rest.join('=')
  }
  return undefined
}

function decide(
  policy: ProxyPolicy,
  route: RoutePolicy,
  match: RouteMatch | null,
  head: RequestHead,
  path: RequestPath,
  random: () => number,
): RouteDecision {
  const pathTemplate = templateOf(match)
  const { action } = route
  if (action.kind !== 'forward') {
    const isRedirect = action.kind === 'redirect'
    return {
      kind: 'reply',
      route,
      pathTemplate,
      status: isRedirect ? action.redirect.status : action.status,
      location: isRedirect ? locationOf(action.redirect, head, path) : null,
      body: isRedirect ? '' : action.body,
      responseHeaders: [route.headers.response],
    }
  }
  const destination = pickDestination(action.destinations, random)
  const cluster = destination === null ? undefined : policy.clusters.get(destination.cluster)
  if (destination === null || cluster === undefined) return { kind: 'none' }
  const requestHeaders = [destination.headers.request, route.headers.request]
  return {
    kind: 'forward',
    route,
    pathTemplate,
    destination,
    cluster,
    retry: destination.retry,
    path: rewrittenPath(route, match, path) + path.query,
    authority: hostHeader(requestHeaders) ?? route.rewrite?.authority ?? head.authority,
    requestHeaders: requestHeaders.map(withoutHost),
    responseHeaders: [destination.headers.response, route.headers.response],
  }
}

function templateOf(match: RouteMatch | null): string {
  const uri = match?.uri ?? null
  if (uri === null) return '/*'
  return uri.kind === 'prefix' ? `${uri.value}*` : uri.value
}

/** Envoy's `prefix_rewrite`: without a condition on the path, Istio matches prefix `/`, so that is what is replaced. */
function rewrittenPath(route: RoutePolicy, match: RouteMatch | null, { path }: RequestPath): string {
  const { rewrite } = route
  if (rewrite === null) return path
  if (rewrite.replacePath !== null) return rewrite.replacePath(path)
  if (rewrite.uri === null) return path
  const uri = match?.uri ?? null
  if (uri !== null && uri.kind !== 'prefix') return rewrite.uri
  return rewrite.uri + path.slice(uri?.value.length ?? 1)
}

function pickDestination(
  destinations: readonly RouteDestination[],
  random: () => number,
): RouteDestination | null {
  const [only, ...others] = destinations
  if (only === undefined || others.length === 0) return only ?? null
  const total = destinations.reduce((sum, destination) => sum + destination.weight, 0)
  let left = Math.floor(random() * total)
  for (const destination of destinations) {
    if (left < destination.weight) return destination
    left -= destination.weight
  }
  return null
}

function isHost(name: string): boolean {
  return name === 'host' || name === ':authority'
}

/** Setting `Host` is a rewrite of the authority, as in Istio; the route's comes after the destination's. */
function hostHeader(changes: readonly HeaderChange[]): string | undefined {
  return changes.flatMap((change) => change.set).findLast(([name]) => isHost(name))?.[1]
}

function withoutHost(change: HeaderChange): HeaderChange {
  if (!change.set.some(([name]) => isHost(name))) return change
  return { ...change, set: change.set.filter(([name]) => !isHost(name)) }
}

function locationOf(redirect: RedirectPolicy, head: RequestHead, { path, query }: RequestPath): string {
  const scheme = redirect.scheme ?? head.scheme
  // A port of the request does not survive a change of scheme or host.
  const isMoved = redirect.scheme !== null || redirect.authority !== null || redirect.port !== null
  const host = redirect.authority ?? (isMoved ? withoutPort(head.authority) : head.authority)
  const port = redirect.port === null ? '' : `:${redirect.port}`
  return `${scheme}://${host}${port}${redirect.uri ?? path}${query}`
}
