import { type Labels, labelValue } from '../../model/labels.ts'
import type { InhibitRule } from '../configuration/alertmanager-config.ts'

/** An alert that may inhibit. */
export interface InhibitSource {
  readonly fingerprint: string
  readonly labels: Labels
}

/**
 * Fingerprints of the firing alerts (of the same tenant) that inhibit an alert. Muted sources inhibit too. An alert on both
 * sides of a rule is not inhibited by another one on both sides, and so never by itself (Alertmanager's rule).
 */
export function inhibitedBy(
  rules: readonly InhibitRule[],
  labels: Labels,
  firing: readonly InhibitSource[],
): string[] {
  const found = new Set<string>()
  for (const rule of rules) {
    if (!rule.isTarget(labels)) continue
    const isOnBothSides = rule.isSource(labels)
    for (const source of firing) {
      if (!rule.isSource(source.labels)) continue
      if (isOnBothSides && rule.isTarget(source.labels)) continue
      if (rule.equal.every((name) => labelValue(labels, name) === labelValue(source.labels, name))) {
        found.add(source.fingerprint)
      }
    }
  }
  return [...found].sort()
}
