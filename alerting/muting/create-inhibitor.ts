import { type Labels, labelValue } from '../../model/labels.ts'
import type { InhibitRule } from '../configuration/alertmanager-config.ts'

/** An alert that may inhibit. */
export interface InhibitSource {
  readonly fingerprint: string
  readonly labels: Labels
}

/** Fingerprints of the alerts that inhibit one with these labels. */
export type Inhibitor = (labels: Labels) => string[]

/**
 * Makes the test of what is inhibited by these firing alerts (of one tenant). Muted sources inhibit too. An alert on both
 * sides of a rule is not inhibited by another one on both sides, and so never by itself (Alertmanager's rule).
 */
export function createInhibitor(
  rules: readonly InhibitRule[],
  firing: () => Iterable<InhibitSource>,
): Inhibitor {
  // By rule, when the first target asks: its sources by the labels that must be equal.
  const sources = new Map<InhibitRule, ReadonlyMap<string, readonly Source[]>>()
  return (labels) => {
    const found = new Set<string>()
    for (const rule of rules) {
      if (!rule.isTarget(labels)) continue
      let index = sources.get(rule)
      if (index === undefined) {
        index = indexSources(rule, firing())
        sources.set(rule, index)
      }
      const isOnBothSides = rule.isSource(labels)
      for (const source of index.get(equalKey(rule, labels)) ?? []) {
        if (!(isOnBothSides && source.isTarget)) found.add(source.fingerprint)
      }
    }
    return [...found].sort()
  }
}

interface Source {
  readonly fingerprint: string
  readonly isTarget: boolean
}

function indexSources(
  rule: InhibitRule,
  firing: Iterable<InhibitSource>,
): ReadonlyMap<string, readonly Source[]> {
  const index = new Map<string, Source[]>()
  for (const { fingerprint, labels } of firing) {
    if (!rule.isSource(labels)) continue
    const key = equalKey(rule, labels)
    const source = { fingerprint, isTarget: rule.isTarget(labels) }
    const others = index.get(key)
    if (others === undefined) index.set(key, [source])
    else others.push(source)
  }
  return index
}

function equalKey(rule: InhibitRule, labels: Labels): string {
  return JSON.stringify(rule.equal.map((name) => labelValue(labels, name)))
}
