import type { DestinationSubset, TrafficPolicy } from './destination-rule-schema.ts'
import type { AcceptedRule } from './merge-destination-rules.ts'
import type { DocumentPath } from './policy-document.ts'
import type { PolicyIndex } from './policy-index.ts'
import type { PolicyReport } from './policy-report.ts'
import type { PolicyMode } from './validate-document.ts'

type Outlier = NonNullable<TrafficPolicy['outlierDetection']>

/** Says where a valid DestinationRule does not do what its words suggest. `index` must know all endpoints. */
export function lintDestinationRule(rule: AcceptedRule, index: PolicyIndex, mode: PolicyMode): void {
  const { report, spec, host } = rule
  const ports = index.portsOf(host)
  if (ports.length === 0 && !host.startsWith('*')) {
    const message = `no endpoints are known of ${host}: the rule has nobody to act on`
    report.warn('HOST_WITHOUT_ENDPOINTS', ['spec', 'host'], message)
  }
  const endpoints = Math.max(0, ...ports.map((port) => index.cluster(host, port, '').endpoints.length))
  lintPolicy(spec.trafficPolicy, ['spec', 'trafficPolicy'], { report, ports, endpoints, mode })
  spec.subsets?.forEach((subset: DestinationSubset, number) => {
    const path = ['spec', 'subsets', number, 'trafficPolicy']
    lintPolicy(subset.trafficPolicy, path, { report, ports, endpoints: 0, mode })
  })
}

interface LintContext {
  readonly report: PolicyReport
  readonly ports: readonly number[]
  /** 0: not known. */
  readonly endpoints: number
  readonly mode: PolicyMode
}

function lintPolicy(policy: TrafficPolicy | undefined, path: DocumentPath, context: LintContext): void {
  if (policy === undefined) return
  const { report } = context
  lintBlocks(policy, path, context)
  lintDialect(policy, path, context)
  if ((policy.retryBudget?.budgetInterval ?? 0) > 0) {
    const message = 'not done by this proxy: the budget counts the requests of the moment'
    report.warn('FIELD_UNSUPPORTED', [...path, 'retryBudget', 'budgetInterval'], message)
  }
  policy.portLevelSettings?.forEach((level, number) => {
    const place = [...path, 'portLevelSettings', number]
    lintBlocks(level, place, context)
    const { number: port } = level.port
    if (context.ports.length > 0 && !context.ports.includes(port)) {
      report.warn('PORT_UNKNOWN', [...place, 'port'], `no endpoints are known at port ${port}: never used`)
    }
    const blocks = ['connectionPool', 'loadBalancer', 'outlierDetection', 'tls'] as const
    const reset = blocks.filter((block) => policy[block] !== undefined && level[block] === undefined)
    if (reset.length > 0) {
      const message = `port ${port} does not inherit ${reset.join(', ')} from the destination: they fall to the defaults`
      report.warn('MESH012', place, message)
    }
  })
}

function lintBlocks(
  policy: Pick<TrafficPolicy, 'connectionPool' | 'loadBalancer' | 'outlierDetection' | 'tls'>,
  path: DocumentPath,
  context: LintContext,
): void {
  const { report } = context
  const simple = policy.loadBalancer?.simple
  if (simple === 'LEAST_CONN') {
    report.warn('FIELD_DEPRECATED', [...path, 'loadBalancer', 'simple'], 'LEAST_CONN is now LEAST_REQUEST')
  } else if (simple === 'PASSTHROUGH') {
    const message = 'not done by this proxy: LEAST_REQUEST is taken instead of PASSTHROUGH'
    report.warn('FIELD_UNSUPPORTED', [...path, 'loadBalancer', 'simple'], message)
  }
  lintPool(policy.connectionPool?.http, [...path, 'connectionPool', 'http'], report)
  if (policy.outlierDetection !== undefined) {
    lintOutlier(policy.outlierDetection, [...path, 'outlierDetection'], context)
  }
  const { tls } = policy
  if (tls?.mode === 'ISTIO_MUTUAL') {
    const message =
      'not done by this proxy: it has no workload certificates; use MUTUAL with files, or DISABLE'
    report.fail('FIELD_UNSUPPORTED', [...path, 'tls', 'mode'], message)
  } else if (tls?.mode === 'MUTUAL' && !(tls.clientCertificate && tls.privateKey)) {
    report.fail('FIELD_INVALID', [...path, 'tls'], 'mode MUTUAL needs clientCertificate and privateKey')
  }
}

function lintPool(
  http: NonNullable<TrafficPolicy['connectionPool']>['http'],
  path: DocumentPath,
  report: PolicyReport,
): void {
  if (http === undefined || http.http2MaxRequests !== undefined) return
  if (http.http1MaxPendingRequests === undefined || http.maxRequestsPerConnection === undefined) return
  const message =
    'http1MaxPendingRequests bounds the queue and maxRequestsPerConnection the life of a connection: ' +
    'neither limits concurrency, http2MaxRequests does (for HTTP/1.1 too)'
  report.warn('MESH011', path, message)
}

function lintOutlier(outlier: Outlier, path: DocumentPath, { report, endpoints }: LintContext): void {
  const run = outlier.consecutive5xxErrors ?? 5
  const gateway = outlier.consecutiveGatewayErrors ?? 0
  const maxPercent = outlier.maxEjectionPercent ?? 10
  const minHealth = outlier.minHealthPercent ?? 0
  const at = (field: keyof Outlier): DocumentPath => (outlier[field] === undefined ? path : [...path, field])
  if (endpoints > 0 && 100 / endpoints > maxPercent) {
    const message =
      `nobody is ever ejected: one of ${endpoints} endpoints is more than ${maxPercent} %; ` +
      `with maxEjectionPercent ${maxPercent} it takes ${maxPercent === 0 ? 'any higher value' : `${Math.ceil(100 / maxPercent)} endpoints`}`
    report.warn('MESH003', at('maxEjectionPercent'), message)
  }
  if (run > 0 && gateway >= run) {
    const message = `consecutiveGatewayErrors ${gateway} has no effect: every gateway error counts for consecutive5xxErrors ${run} too`
    report.warn('MESH004', at('consecutiveGatewayErrors'), message)
  }
  if (minHealth > 0 && minHealth <= 100 - maxPercent) {
    const message = `ejections alone never bring the healthy share under ${100 - maxPercent} %, so minHealthPercent ${minHealth} is not reached by them`
    report.warn('MESH005', at('minHealthPercent'), message)
  }
  if (outlier.splitExternalLocalOriginErrors === true && !outlier.consecutiveLocalOriginFailures) {
    const message =
      'connect failures, resets and timeouts leave consecutive5xxErrors and are counted apart (5 in a row): this is no error rate'
    report.warn('MESH013', at('splitExternalLocalOriginErrors'), message)
  }
}

function lintDialect(policy: TrafficPolicy, path: DocumentPath, { report, mode }: LintContext): void {
  if (policy.retryPolicy === undefined) return
  const place = [...path, 'retryPolicy']
  const message = 'a DestinationRule has no retryPolicy: retries belong in a VirtualService (http[].retries)'
  if (mode === 'strict') report.fail('MESH001', place, message)
  else report.warn('MESH001', place, `${message}; taken here for routes without retries of their own`)
}
