import { labelsKey, labelValue } from '../model/labels.ts'
import type { RestoredAlert, StoredAlert } from './alert-store.ts'
import type { AlertInstance, AlertStates } from './next-alert-state.ts'
import { groupKey, type RuleGroup } from './rule-group.ts'
import { ruleKeys } from './rule-keys.ts'

/** How long nobody may have looked for a pending alert to go on counting, milliseconds (Prometheus' for-outage-tolerance). */
export const OUTAGE_TOLERANCE_MS = 3_600_000

/**
 * The alerts that were kept, by group and rule. Firing ones go on firing, exactly as they were, so that their end is told however long
 * the outage was; pending ones go on counting their `for` unless nobody looked for longer than {@link OUTAGE_TOLERANCE_MS}.
 */
export function restoreAlerts(
  stored: readonly RestoredAlert[],
  nowMs: number,
): ReadonlyMap<string, ReadonlyMap<string, AlertStates>> {
  const groups = new Map<string, Map<string, Map<string, AlertInstance>>>()
  for (const { group, rule, alert, atMs } of stored) {
    if (alert.state === 'pending' && nowMs - atMs > OUTAGE_TOLERANCE_MS) continue
    const rules = groups.get(group) ?? new Map<string, Map<string, AlertInstance>>()
    const alerts = rules.get(rule) ?? new Map<string, AlertInstance>()
    groups.set(group, rules)
    rules.set(rule, alerts)
    alerts.set(labelsKey(alert.labels), alert)
  }
  return groups
}

/**
 * The kept alerts whose rules are no longer there, to be stored as gone: should a rule of that name come back one day, they are not its own.
 */
export function ownerless(
  stored: readonly RestoredAlert[],
  groups: readonly RuleGroup[],
  nowMs: number,
): readonly StoredAlert[] {
  const rules = new Map(groups.map((group) => [groupKey(group), new Set(ruleKeys(group.rules))]))
  return stored
    .filter(({ group, rule }) => rules.get(group)?.has(rule) !== true)
    .map(({ group, rule, alert }) => {
      const alertName = labelValue(alert.labels, 'alertname')
      const from = alert.state === 'inactive' ? null : alert.state
      return { group, rule, alert, alertName, isGone: true, from, atMs: nowMs }
    })
}
