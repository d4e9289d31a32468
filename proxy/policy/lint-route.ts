import { RETRY_NON_IDEMPOTENT } from './build-route.ts'
import type { DocumentPath, PolicyDocument } from './policy-document.ts'
import type { PolicyIndex } from './policy-index.ts'
import type { PolicyReport } from './policy-report.ts'
import type { RetryPolicy, RoutePolicy } from './proxy-policy.ts'
import { UNLIMITED } from './traffic-policy.ts'
import type { HttpRoute } from './virtual-service-schema.ts'

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** Says where a valid route does not do what its words suggest. `number` is its place in `spec.http`. */
export function lintRoute(
  written: HttpRoute,
  route: RoutePolicy,
  number: number,
  context: { readonly document: PolicyDocument; readonly report: PolicyReport; readonly index: PolicyIndex },
): void {
  if (written.retries === undefined || route.action.kind !== 'forward') return
  const path: DocumentPath = ['spec', 'http', number, 'retries']
  const retry = route.action.destinations[0]?.retry ?? null
  if (retry === null) return
  lintPerTry(written, retry, route.timeoutMs, path, context.report)
  if (retry.retriableStatusCodes.has(503) && !hasAny(retry, ['reset', '5xx', 'gateway-error'])) {
    const message = '503 is a status of the upstream only; a reset or a closed connection takes "reset"'
    context.report.warn('MESH008', [...path, 'retryOn'], message)
  }
  if (isRepeating(retry) && !retry.retriesNonIdempotent && !isIdempotentOnly(route)) {
    const message =
      'POST and PATCH are not retried after an answer or a reset, unless they carry Idempotency-Key ' +
      `(or the annotation ${RETRY_NON_IDEMPOTENT}: "true" says that repeating is harmless)`
    context.report.warn('MESH010', [...path, 'retryOn'], message)
  }
  lintBounds(route, path, context)
}

function lintPerTry(
  written: HttpRoute,
  retry: RetryPolicy,
  timeoutMs: number,
  path: DocumentPath,
  report: PolicyReport,
): void {
  if (retry.perTryTimeoutMs === 0) return
  const place = [...path, 'perTryTimeout']
  if (timeoutMs > 0 && retry.perTryTimeoutMs >= timeoutMs) {
    report.warn('MESH007', place, 'is not shorter than the timeout of the route: it is ignored')
    return
  }
  if (!hasAny(retry, ['5xx', 'gateway-error', 'reset'])) {
    const message =
      'a per-try timeout is not retried: it takes 5xx, gateway-error or reset in retryOn; the request ends with 504'
    report.warn('MESH002', place, message)
  }
  const attempts = 1 + (written.retries?.attempts ?? 0)
  if (timeoutMs > 0 && attempts * retry.perTryTimeoutMs > timeoutMs) {
    const message = `${attempts} attempts of ${retry.perTryTimeoutMs} ms do not fit into the timeout of ${timeoutMs} ms: the last ones never complete`
    report.warn('MESH007', place, message)
  }
}

function lintBounds(
  route: RoutePolicy,
  path: DocumentPath,
  { report, index }: { readonly report: PolicyReport; readonly index: PolicyIndex },
): void {
  if (route.action.kind !== 'forward') return
  const unbounded = route.action.destinations
    .map((destination) => index.clusters.get(destination.cluster))
    .filter((cluster) => cluster?.retryBudget === null && cluster.pool.maxRetries === UNLIMITED)
  if (unbounded.length === 0) return
  const hosts = [...new Set(unbounded.map((cluster) => cluster?.host))].join(', ')
  const message = `nothing bounds the retries to ${hosts}: set retryBudget or connectionPool.http.maxRetries in a DestinationRule`
  report.warn('MESH009', path, message)
}

function hasAny(retry: RetryPolicy, conditions: readonly ('5xx' | 'gateway-error' | 'reset')[]): boolean {
  return conditions.some((condition) => retry.retryOn.has(condition))
}

function isRepeating(retry: RetryPolicy): boolean {
  return hasAny(retry, ['5xx', 'gateway-error', 'reset']) || retry.retriableStatusCodes.size > 0
}

function isIdempotentOnly(route: RoutePolicy): boolean {
  const isSafe = (match: RoutePolicy['matches'][number]): boolean =>
    match.method?.kind === 'exact' && SAFE_METHODS.has(match.method.value)
  return route.matches.length > 0 && route.matches.every(isSafe)
}
