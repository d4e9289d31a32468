import type { Finding } from './finding.ts'
import type { PolicyDocument } from './policy-document.ts'
import type { PolicyReport } from './policy-report.ts'

/** Kinds that live beside policies in people's files, and what to do instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  EnvoyFilter:
    'it patches Envoy itself. Retries belong in a VirtualService (http[].retries, with backoff; every back-off is fully jittered), limits in a DestinationRule',
  Telemetry:
    'it sets up the telemetry of Istio’s proxies. This proxy sends what docs/proxy.md lists, without set-up',
  ServiceMonitor:
    'it tells Prometheus what to scrape. This proxy sends OTLP, and serves /stats/prometheus on its admin port',
  PodMonitor:
    'it tells Prometheus what to scrape. This proxy sends OTLP, and serves /stats/prometheus on its admin port',
  PrometheusRule:
    'it is for the rule evaluator: name the file in rules.files, check it with "meshwatch rules check"',
  NetworkChaos:
    'it is for Chaos Mesh, which works in the kernel. The nearest here is fault.delay of a VirtualService',
  ServiceEntry: 'name the endpoints in an endpoints file (docs/proxy-policy.md)',
  WorkloadEntry: 'name the endpoints in an endpoints file (docs/proxy-policy.md)',
  Service: 'name the endpoints in an endpoints file (docs/proxy-policy.md)',
  Endpoints: 'name the endpoints in an endpoints file (docs/proxy-policy.md)',
  EndpointSlice: 'name the endpoints in an endpoints file (docs/proxy-policy.md)',
  Gateway: 'this proxy listens where its own configuration says (kind: Proxy)',
  Sidecar: 'this proxy listens where its own configuration says (kind: Proxy)',
  AuthorizationPolicy: 'this proxy does not authorize requests; let the service do so',
  PeerAuthentication: 'this proxy takes no mutual TLS from its callers',
  RequestAuthentication: 'this proxy does not check tokens; let the service do so',
}

const REMOVED: Readonly<Record<string, string>> = {
  QuotaSpec:
    'Mixer’s quotas were removed in Istio 1.8. A limit of concurrent requests is connectionPool.http.http2MaxRequests of a DestinationRule',
  QuotaSpecBinding: 'Mixer’s quotas were removed in Istio 1.8, and this bound one to a service',
}

/** Reports a document that holds no policy of this proxy: a warning that says what it is for and what to do instead. */
export function reportNotForProxy(document: PolicyDocument, report: PolicyReport): void {
  const { kind, apiVersion } = document
  const removed = REMOVED[kind]
  if (removed !== undefined) {
    report.warn('MESH014', ['kind'], `${kind} is not for the proxy: ${removed}`)
    return
  }
  const instead = INSTEAD[kind]
  if (instead !== undefined) {
    report.warn('DOCUMENT_NOT_FOR_PROXY', ['kind'], `${kind} is not for the proxy: ${instead}`)
    return
  }
  if (kind === '') {
    report.fail('DOCUMENT_UNKNOWN', [], 'a document needs a kind, or clusters if it lists endpoints')
    return
  }
  const name = apiVersion === '' ? kind : `${kind} (${apiVersion})`
  report.warn('DOCUMENT_UNKNOWN', ['kind'], `${name} is nothing that this proxy knows: it is ignored`)
}

/** API versions under which Istio serves its networking kinds. */
export const NETWORKING_VERSIONS: ReadonlySet<string> = new Set([
  'networking.istio.io/v1alpha3',
  'networking.istio.io/v1beta1',
  'networking.istio.io/v1',
])

/** Findings in the order of files, lines and columns. */
export function sortFindings(findings: readonly Finding[], files: readonly string[]): readonly Finding[] {
  return findings.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  )
}
