import type { RuleGroup, TextPairs } from '../rule-group.ts'

/** A rule that stands there more than once. */
export interface DuplicateRule {
  readonly name: string
  readonly labels: TextPairs
}

/** Rules of equal name and labels, each named once, in the order of their names: they record the same series, or raise the same alerts. */
export function duplicateRules(groups: readonly RuleGroup[]): readonly DuplicateRule[] {
  const counts = new Map<string, { rule: DuplicateRule; count: number }>()
  for (const { name, labels } of groups.flatMap(({ rules }) => rules)) {
    const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    const key = JSON.stringify([name, sorted])
    const known = counts.get(key)
    counts.set(key, { rule: { name, labels: sorted }, count: (known?.count ?? 0) + 1 })
  }
  return [...counts]
    .filter(([, { count }]) => count > 1)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { rule }]) => rule)
}
