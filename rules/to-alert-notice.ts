import type { AlertNotice } from '../model/alert.ts'
import type { AlertInstance } from './next-alert-state.ts'
import type { AlertingRule } from './rule-group.ts'

/** What a notice says beside the alert. */
export interface NoticeContext {
  readonly tenant: string
  /** The group's name. */
  readonly group: string
  readonly rule: AlertingRule
  /** The evaluation's time, epoch milliseconds. */
  readonly nowMs: number
  /** How long a firing alert may be believed without news, milliseconds. */
  readonly believedForMs: number
  /** Our address as users reach it, without a trailing slash. */
  readonly externalUrl: string
  readonly windowMs: number
}

/** An alert that fires or has ended, as alerting is told of it. */
export function toAlertNotice(alert: AlertInstance, context: NoticeContext): AlertNotice {
  const { tenant, group, rule, nowMs, believedForMs, externalUrl, windowMs } = context
  const { labels, annotations, firedAtMs, activeAtMs, resolvedAtMs } = alert
  return {
    tenant,
    labels,
    annotations,
    startsAtMs: firedAtMs ?? activeAtMs,
    endsAtMs: resolvedAtMs ?? nowMs + believedForMs,
    isResolved: resolvedAtMs !== null,
    generatorUrl: generatorUrl(externalUrl, rule.expr),
    value: Number.isNaN(alert.value) ? null : alert.value,
    rule: { group, name: rule.name, expr: rule.expr, windowMs },
  }
}

/** Where an expression can be looked at, as Prometheus links it. */
export function generatorUrl(externalUrl: string, expr: string): string {
  return `${externalUrl}/graph?${new URLSearchParams({ 'g0.expr': expr, 'g0.tab': '1' })}`
}
