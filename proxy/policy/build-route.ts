import { errorMessage } from '../../runtime/errors.ts'
import { buildFault } from './build-fault.ts'
import type { DocumentPath, PolicyDocument } from './policy-document.ts'
import { DEFAULT_PORT, type PolicyIndex } from './policy-index.ts'
import type { PolicyReport } from './policy-report.ts'
import type {
  HeaderChange,
  HeaderOperations,
  NamedMatch,
  RewritePolicy,
  RouteDestination,
  RouteMatch,
  RoutePolicy,
} from './proxy-policy.ts'
import { DEFAULT_RETRY_POLICY, parseRetryOn, resolveRetries } from './retry-policy.ts'
import { compileRegexRewrite, compileStringMatch } from './string-match.ts'
import type { PolicyMode } from './validate-document.ts'
import type { HttpHeaders, HttpMatch, HttpRoute, StringCondition } from './virtual-service-schema.ts'

/** What a route is built with. */
export interface RouteContext {
  readonly document: PolicyDocument
  readonly report: PolicyReport
  readonly index: PolicyIndex
  readonly mode: PolicyMode
  /** Namespace of the rule. */
  readonly namespace: string
  /** Where the proxy stands: for `sourceLabels`, `sourceNamespace` and `gateways` of a match. */
  readonly source: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }
  /** Port of a destination that names none, where that destination has it. */
  readonly port: number | null
}

/** Annotation of a VirtualService that lifts the guard of POST and PATCH; ours. */
export const RETRY_NON_IDEMPOTENT = 'meshwatch.io/retry-non-idempotent'

/** Builds entry `number` of `spec.http`; null: it can never match from here, or it is wrong and that is reported. */
export function buildRoute(route: HttpRoute, number: number, context: RouteContext): RoutePolicy | null {
  const { document, report } = context
  const path: DocumentPath = ['spec', 'http', number]
  const matches = buildMatches(route, path, context)
  if (matches === null) return null
  const action = buildAction(route, path, context)
  if (action === null) return null
  const rewrite = buildRewrite(route, path, report)
  if (rewrite === undefined) return null
  return {
    name: route.name ?? `${document.name}[${number}]`,
    matches,
    action,
    rewrite,
    timeoutMs: route.timeout ?? 0,
    fault: buildFault(route.fault, [...path, 'fault'], context),
    headers: buildHeaders(route.headers),
  }
}

function buildMatches(
  route: HttpRoute,
  path: DocumentPath,
  context: RouteContext,
): readonly RouteMatch[] | null {
  const written = route.match ?? []
  const matches: RouteMatch[] = []
  for (const [index, match] of written.entries()) {
    if (!isForThisProxy(match, context)) continue
    try {
      matches.push(buildMatch(match))
    } catch (error) {
      const message = `the regular expression is none that RE2 takes: ${errorMessage(error)}`
      context.report.fail('FIELD_INVALID', [...path, 'match', index], message)
      return null
    }
  }
  if (written.length === 0 || matches.length > 0) return matches
  context.report.warn('NOT_SELECTED', [...path, 'match'], 'selects other workloads than this proxy: not used')
  return null
}

function isForThisProxy(match: HttpMatch, { source }: RouteContext): boolean {
  if (match.gateways !== undefined && !match.gateways.includes('mesh')) return false
  if (match.sourceNamespace !== undefined && match.sourceNamespace !== source.namespace) return false
  return Object.entries(match.sourceLabels ?? {}).every(([name, value]) => source.labels[name] === value)
}

function buildMatch(match: HttpMatch): RouteMatch {
  const ignoresCase = match.ignoreUriCase ?? false
  return {
    uri: compileStringMatch(match.uri, { ignoresCase }),
    method: compileStringMatch(match.method),
    authority: compileStringMatch(match.authority),
    scheme: compileStringMatch(match.scheme),
    port: match.port ?? null,
    headers: namedMatches(match.headers, (name) => name.toLowerCase()),
    withoutHeaders: namedMatches(match.withoutHeaders, (name) => name.toLowerCase()),
    queryParams: namedMatches(match.queryParams, (name) => name),
  }
}

function namedMatches(
  conditions: Readonly<Record<string, StringCondition | null>> | undefined,
  nameOf: (name: string) => string,
): readonly NamedMatch[] {
  return Object.entries(conditions ?? {}).map(([name, condition]) => ({
    name: nameOf(name),
    match: compileStringMatch(condition),
  }))
}

function buildAction(
  route: HttpRoute,
  path: DocumentPath,
  context: RouteContext,
): RoutePolicy['action'] | null {
  const { redirect, directResponse } = route
  const actions = [route.route, redirect, directResponse].filter((action) => action !== undefined)
  if (actions.length !== 1) {
    context.report.fail('FIELD_INVALID', path, 'expected one of route, redirect and directResponse')
    return null
  }
  if (redirect !== undefined) {
    return {
      kind: 'redirect',
      redirect: {
        uri: redirect.uri ?? null,
        authority: redirect.authority ?? null,
        scheme: redirect.scheme ?? null,
        port: redirect.port ?? null,
        status: redirect.redirectCode ?? 301,
      },
    }
  }
  if (directResponse !== undefined) {
    const { string, bytes } = directResponse.body ?? {}
    const body = string ?? (bytes === undefined ? '' : Buffer.from(bytes, 'base64').toString())
    return { kind: 'reply', status: directResponse.status, body }
  }
  const destinations = buildDestinations(route, path, context)
  return destinations === null ? null : { kind: 'forward', destinations }
}

function buildDestinations(
  route: HttpRoute,
  path: DocumentPath,
  context: RouteContext,
): readonly RouteDestination[] | null {
  const written = route.route ?? []
  const isWeighted = written.length > 1
  if (isWeighted && written.every((entry) => (entry.weight ?? 0) === 0)) {
    context.report.fail('FIELD_INVALID', [...path, 'route'], 'the weights of the destinations add up to 0')
    return null
  }
  const retries = retriesOf(route, path, context)
  const destinations: RouteDestination[] = []
  for (const [number, entry] of written.entries()) {
    const place = [...path, 'route', number, 'destination']
    const target = targetOf(entry.destination, place, context)
    if (target === null) return null
    const { host, port, subset } = target
    const dialect = route.retries === undefined ? context.index.dialectRetry(host, port, subset) : undefined
    destinations.push({
      cluster: context.index.cluster(host, port, subset).name,
      weight: isWeighted ? (entry.weight ?? 0) : 1,
      retry: dialect === undefined ? retries : dialect,
      headers: buildHeaders(entry.headers),
    })
  }
  return destinations
}

function targetOf(
  destination: NonNullable<HttpRoute['route']>[number]['destination'],
  place: DocumentPath,
  context: RouteContext,
): { host: string; port: number; subset: string } | null {
  const { index, report } = context
  const host = index.hostOf(destination.host, context.namespace)
  const subset = destination.subset ?? ''
  const known = index.portsOf(host)
  const [first] = known
  const inherited = context.port !== null && known.includes(context.port) ? context.port : undefined
  const port = destination.port?.number ?? inherited ?? first ?? DEFAULT_PORT
  if (first === undefined) {
    report.warn('HOST_WITHOUT_ENDPOINTS', [...place, 'host'], `no endpoints are known of ${host}: 503 UH`)
  } else if (!known.includes(port)) {
    const message = `${host} has no endpoints at port ${port}, only at ${known.join(', ')}: 503 UH`
    report.warn('PORT_UNKNOWN', [...place, 'port'], message)
  }
  if (subset !== '' && !index.hasSubset(host, subset)) {
    const message = `neither a DestinationRule nor an endpoints file defines subset "${subset}" of ${host}`
    report.fail('SUBSET_UNKNOWN', [...place, 'subset'], message)
    return null
  }
  const cluster = index.cluster(host, port, subset)
  if (subset !== '' && known.includes(port) && cluster.endpoints.length === 0) {
    report.warn(
      'SUBSET_EMPTY',
      [...place, 'subset'],
      `no endpoint of ${host} has the labels of "${subset}": 503 UH`,
    )
  }
  return { host, port, subset }
}

function retriesOf(route: HttpRoute, path: DocumentPath, context: RouteContext): RouteDestination['retry'] {
  const { document, report } = context
  const retriesNonIdempotent = document.annotations[RETRY_NON_IDEMPOTENT] === 'true'
  const { retries } = route
  if (retries === undefined) return { ...DEFAULT_RETRY_POLICY, retriesNonIdempotent }
  const place = [...path, 'retries']
  if (retries.attempts === undefined) {
    report.warn('RETRIES_WITHOUT_ATTEMPTS', place, 'attempts is not given, which is 0: there are no retries')
  }
  for (const word of parseRetryOn(retries.retryOn ?? '').unknown) {
    report.fail(
      'FIELD_INVALID',
      [...place, 'retryOn'],
      `"${word}" is neither a retry condition nor a status code`,
    )
  }
  return resolveRetries(retries, { retriesNonIdempotent })
}

/** undefined: it is wrong, and that is reported. */
function buildRewrite(
  route: HttpRoute,
  path: DocumentPath,
  report: PolicyReport,
): RewritePolicy | null | undefined {
  const { rewrite } = route
  if (rewrite === undefined) return null
  const { uri, authority, uriRegexRewrite: regex } = rewrite
  const place = [...path, 'rewrite']
  if (uri !== undefined && regex !== undefined) {
    report.fail('FIELD_INVALID', place, 'expected uri or uriRegexRewrite, not both')
    return undefined
  }
  try {
    const replacePath = regex === undefined ? null : compileRegexRewrite(regex.match, regex.rewrite)
    return { uri: uri || null, authority: authority || null, replacePath }
  } catch (error) {
    const message = `the regular expression is none that RE2 takes: ${errorMessage(error)}`
    report.fail('FIELD_INVALID', [...place, 'uriRegexRewrite', 'match'], message)
    return undefined
  }
}

/** No change. */
export const NO_HEADERS: HeaderOperations = {
  request: { remove: [], set: [], add: [] },
  response: { remove: [], set: [], add: [] },
}

function buildHeaders(headers: HttpHeaders | undefined): HeaderOperations {
  if (headers === undefined) return NO_HEADERS
  return { request: headerChange(headers.request), response: headerChange(headers.response) }
}

function headerChange(change: HttpHeaders['request']): HeaderChange {
  const lower = (entries: Readonly<Record<string, string>> | undefined) =>
    Object.entries(entries ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    remove: (change?.remove ?? []).map((name) => name.toLowerCase()),
    set: lower(change?.set),
    add: lower(change?.add),
  }
}
