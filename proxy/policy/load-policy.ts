import { addDefaultHost, addVirtualService, hostTables, type VirtualHosts } from './build-virtual-hosts.ts'
import { addEndpoints, type EndpointRegistry } from './endpoint-registry.ts'
import type { Finding } from './finding.ts'
import { lintDestinationRule } from './lint-destination-rule.ts'
import { addDestinationRule, type DestinationRules } from './merge-destination-rules.ts'
import { NETWORKING_VERSIONS, reportNotForProxy, sortFindings } from './not-for-proxy.ts'
import { type PolicyDocument, type PolicySource, readDocuments } from './policy-document.ts'
import { createPolicyIndex } from './policy-index.ts'
import { createPolicyReport, type PolicyReport } from './policy-report.ts'
import type { ProxyPolicy } from './proxy-policy.ts'
import type { PolicyMode } from './validate-document.ts'

/** Where the proxy stands, and how strictly policies are read. */
export interface LoadPolicyOptions {
  /** `lenient` (default, the running proxy) takes the dialect of articles with a warning per field; `strict` refuses it. */
  readonly mode?: PolicyMode
  /** Of the proxy, and of documents that name none; default `default`. */
  readonly namespace?: string
  /** Of the proxy's workload, for `sourceLabels` and `workloadSelector`. */
  readonly labels?: Readonly<Record<string, string>>
  /** Kinds that somebody else reads from the same files; default `Proxy`. */
  readonly otherKinds?: readonly string[]
}

/** A policy, everything that was found, and the documents of `otherKinds`. */
export interface LoadedPolicy {
  readonly policy: ProxyPolicy
  /** In the order of files and lines. An error means that something of what is written is not in the policy. */
  readonly findings: readonly Finding[]
  readonly otherDocuments: readonly PolicyDocument[]
}

/**
 * Reads VirtualServices, DestinationRules and endpoints from YAML into a policy with every default resolved. Never throws for what is written: problems
 * are findings, each with its position.
 */
export function loadPolicy(sources: readonly PolicySource[], options: LoadPolicyOptions = {}): LoadedPolicy {
  const { mode = 'lenient', namespace = 'default', labels = {}, otherKinds = ['Proxy'] } = options
  const read = readDocuments(sources)
  const findings: Finding[] = [...read.findings]
  const reported = read.documents.map((document) => ({
    document,
    report: createPolicyReport(document, findings),
    role: roleOf(document, otherKinds),
  }))
  const of = (role: DocumentRole) => reported.filter((entry) => entry.role === role)

  const registry: EndpointRegistry = new Map()
  for (const { document, report } of of('endpoints'))
    addEndpoints(registry, document, report, mode, namespace)
  const rules: DestinationRules = { merged: new Map(), accepted: [] }
  for (const { document, report } of of('DestinationRule')) {
    reportVersion(document, report)
    addDestinationRule(rules, document, report, { mode, namespace, labels, registry })
  }
  const index = createPolicyIndex(registry, rules.merged, mode === 'lenient')
  const source = { namespace, labels }
  const hosts: VirtualHosts = { exact: new Map(), suffix: new Map() }
  for (const { document, report } of of('VirtualService')) {
    reportVersion(document, report)
    addVirtualService(hosts, { document, report, index, mode, source })
  }
  for (const host of registry.keys()) addDefaultHost(hosts, host, { index, source })
  for (const rule of rules.accepted) {
    lintDestinationRule(rule, index, mode)
    // Also what no route leads to is to be seen.
    for (const subset of ['', ...(rule.spec.subsets ?? []).map((entry) => entry.name)]) {
      for (const port of index.portsOf(rule.host)) index.cluster(rule.host, port, subset)
    }
  }
  for (const { document, report } of of('none')) reportNotForProxy(document, report)

  return {
    policy: { ...hostTables(hosts), clusters: index.clusters },
    findings: sortFindings(
      findings,
      sources.map((entry) => entry.file),
    ),
    otherDocuments: of('other').map((entry) => entry.document),
  }
}

type DocumentRole = 'VirtualService' | 'DestinationRule' | 'endpoints' | 'other' | 'none'

function roleOf(document: PolicyDocument, otherKinds: readonly string[]): DocumentRole {
  const { kind } = document
  if (otherKinds.includes(kind)) return 'other'
  if (kind === 'VirtualService' || kind === 'DestinationRule') return kind
  return kind === '' && document.value['clusters'] !== undefined ? 'endpoints' : 'none'
}

function reportVersion(document: PolicyDocument, report: PolicyReport): void {
  if (NETWORKING_VERSIONS.has(document.apiVersion)) return
  const versions = [...NETWORKING_VERSIONS].join(', ')
  report.fail('FIELD_INVALID', ['apiVersion'], `expected one of ${versions}, got "${document.apiVersion}"`)
}
