/** Names and texts in the order written; texts may be templates. */
export type TextPairs = readonly (readonly [name: string, text: string])[]

/** A rule that records the result of its expression as series of a new name. */
export interface RecordingRule {
  readonly kind: 'recording'
  /** The new metric's name. */
  readonly name: string
  readonly expr: string
  /** Put on every series; the group's labels are among them. */
  readonly labels: TextPairs
}

/** A rule that raises an alert for every element of its expression's result. */
export interface AlertingRule {
  readonly kind: 'alerting'
  /** The value of the label `alertname`. */
  readonly name: string
  readonly expr: string
  /** How long an alert must be active before it fires (`for`), milliseconds. */
  readonly holdMs: number
  /** How long an alert goes on firing after its condition is gone (`keep_firing_for`), milliseconds. */
  readonly keepFiringForMs: number
  /** Templates; the group's labels are among them. */
  readonly labels: TextPairs
  /** Templates. */
  readonly annotations: TextPairs
}

/** A rule of Prometheus. */
export type Rule = RecordingRule | AlertingRule

/** Rules that are evaluated together, one after the other, at the same times. */
export interface RuleGroup {
  readonly name: string
  /** The file it stands in; for a resource among others also which one. Together with the name it identifies the group. */
  readonly file: string
  /** Milliseconds; null: the configured interval. */
  readonly intervalMs: number | null
  /** How far in the past the queries are made, milliseconds; null: as configured. */
  readonly queryOffsetMs: number | null
  /** Most alerts, or series, that one rule may give; 0: no limit. */
  readonly limit: number
  readonly rules: readonly Rule[]
}

/** A text that identifies a group among all groups. */
export function groupKey(group: Pick<RuleGroup, 'file' | 'name'>): string {
  return `${group.file};${group.name}`
}
