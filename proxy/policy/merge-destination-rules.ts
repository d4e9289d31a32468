import { type DestinationRule, destinationRuleSchema } from './destination-rule-schema.ts'
import { type EndpointRegistry, knownHost } from './endpoint-registry.ts'
import { isForNamespace } from './export-to.ts'
import type { PolicyDocument } from './policy-document.ts'
import type { PolicyReport } from './policy-report.ts'
import { type PolicyMode, validateDocument } from './validate-document.ts'

/** A DestinationRule that is in force, alone or merged into another of its host. */
export interface AcceptedRule {
  readonly document: PolicyDocument
  readonly report: PolicyReport
  readonly spec: DestinationRule['spec']
  /** In full. */
  readonly host: string
}

/** The DestinationRules of a load: by host, merged; and each as it was written, for the lints. */
export interface DestinationRules {
  readonly merged: Map<string, DestinationRule['spec']>
  readonly accepted: AcceptedRule[]
}

/**
 * Takes one DestinationRule in. As in Istio, the first traffic policy of a host counts and subsets of further rules are
 * added, the first of a name counts; what does not count is reported.
 */
export function addDestinationRule(
  rules: DestinationRules,
  document: PolicyDocument,
  report: PolicyReport,
  options: {
    readonly mode: PolicyMode
    readonly namespace: string
    readonly labels: Readonly<Record<string, string>>
    readonly registry: EndpointRegistry
  },
): void {
  const valid = validateDocument(destinationRuleSchema, document, report, options.mode)
  if (valid === null) return
  const { spec } = valid
  const home = document.namespace || options.namespace
  if (!isForNamespace(spec.exportTo, home, options.namespace)) {
    report.warn('NOT_SELECTED', ['spec', 'exportTo'], `is not for namespace ${options.namespace}: not used`)
    return
  }
  const selector = Object.entries(spec.workloadSelector?.matchLabels ?? {})
  if (!selector.every(([name, value]) => options.labels[name] === value)) {
    report.warn(
      'NOT_SELECTED',
      ['spec', 'workloadSelector'],
      'selects other workloads than this proxy: not used',
    )
    return
  }
  const host = knownHost(options.registry, spec.host, home)
  rules.accepted.push({ document, report, spec, host })
  const known = rules.merged.get(host)
  rules.merged.set(
    host,
    known === undefined ? withFirstSubsets(spec, report) : merge(known, spec, host, report),
  )
}

function merge(
  known: DestinationRule['spec'],
  spec: DestinationRule['spec'],
  host: string,
  report: PolicyReport,
): DestinationRule['spec'] {
  if (known.trafficPolicy !== undefined && spec.trafficPolicy !== undefined) {
    const message = `${host} has a traffic policy from an earlier DestinationRule: this one is ignored`
    report.warn('HOST_DUPLICATE', ['spec', 'trafficPolicy'], message)
  }
  const subsets = [...(known.subsets ?? [])]
  spec.subsets?.forEach((subset, index) => {
    if (!subsets.some((other) => other.name === subset.name)) subsets.push(subset)
    else reportSubset(report, index, subset.name)
  })
  return { ...known, trafficPolicy: known.trafficPolicy ?? spec.trafficPolicy, subsets }
}

function withFirstSubsets(spec: DestinationRule['spec'], report: PolicyReport): DestinationRule['spec'] {
  const names = new Set<string>()
  spec.subsets?.forEach((subset, index) => {
    if (names.has(subset.name)) reportSubset(report, index, subset.name)
    names.add(subset.name)
  })
  return spec
}

function reportSubset(report: PolicyReport, index: number, name: string): void {
  report.warn('SUBSET_DUPLICATE', ['spec', 'subsets', index], `subset "${name}" is defined already: ignored`)
}
