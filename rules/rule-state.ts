import type { AlertInstance } from './next-alert-state.ts'
import type { Rule, RuleGroup } from './rule-group.ts'

/** A rule and how it went. */
export interface RuleState {
  readonly rule: Rule
  readonly health: 'unknown' | 'ok' | 'err'
  /** Why the last evaluation failed; null when it did not. */
  readonly lastError: string | null
  /** The time of the last evaluation, epoch milliseconds; null: none yet. */
  readonly lastEvaluationMs: number | null
  /** How long that took, milliseconds. */
  readonly durationMs: number
  /** Series or alerts that the last good evaluation gave. */
  readonly elements: number
  /** Pending and firing alerts, and those that ended in the last 15 minutes; none of a recording rule. */
  readonly alerts: readonly AlertInstance[]
}

/** A group and how it went. */
export interface GroupState {
  readonly group: RuleGroup
  /** Milliseconds, as it runs. */
  readonly intervalMs: number
  /** Milliseconds, as it runs. */
  readonly queryOffsetMs: number
  /** The time of the last evaluation, epoch milliseconds; null: none yet. */
  readonly lastEvaluationMs: number | null
  /** How long that took, milliseconds. */
  readonly durationMs: number
  readonly evaluations: number
  /** Slots that went by without an evaluation. */
  readonly missed: number
  readonly rules: readonly RuleState[]
}

/** The worst state of a rule's alerts. */
export function alertingState(rule: RuleState): 'firing' | 'pending' | 'inactive' | 'unknown' {
  if (rule.lastEvaluationMs === null && rule.alerts.length === 0) return 'unknown'
  if (rule.alerts.some(({ state }) => state === 'firing')) return 'firing'
  return rule.alerts.some(({ state }) => state === 'pending') ? 'pending' : 'inactive'
}
