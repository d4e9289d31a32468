import type { Labels } from './labels.ts'

/** What alerting may say about the rule behind an alert. */
export interface AlertRule {
  readonly group: string
  readonly name: string
  /** The rule's PromQL. */
  readonly expr: string
  /** How far back the expression looks, milliseconds: where evidence is to be sought. */
  readonly windowMs: number
}

/** One alert of one rule as rules hand it to alerting: firing, or resolved when `endsAt` is past. Times epoch milliseconds. */
export interface AlertNotice {
  readonly tenant: string
  /** With `alertname`. */
  readonly labels: Labels
  readonly annotations: Labels
  /** When it began to fire. */
  readonly startsAtMs: number
  /** Resolved: when. Firing: until when it may be believed without news. */
  readonly endsAtMs: number
  readonly isResolved: boolean
  /** Where the expression can be looked at. */
  readonly generatorUrl: string
  /** The value at the last evaluation that had one; null when there is none. */
  readonly value: number | null
  /** Null for alerts that came from elsewhere. */
  readonly rule: AlertRule | null
}
