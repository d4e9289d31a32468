import type { z } from 'zod'
import { labelsFrom, labelsToRecord } from '../../model/labels.ts'
import { formatFloat } from '../../model/template/format-float.ts'
import type { AlertInstance } from '../next-alert-state.ts'
import { alertingState, type GroupState, type RuleState } from '../rule-state.ts'
import { generatorUrl } from '../to-alert-notice.ts'
import type { ruleAlert, rulesResponse } from './native-rules-schemas.ts'

type RulesResponse = z.output<typeof rulesResponse>
type RuleAlert = z.output<typeof ruleAlert>
type RuleView = RulesResponse['groups'][number]['rules'][number]

const NANOS_PER_MS = 1_000_000

/** The answer of `/api/rules`: every group with its rules, their last evaluation and their alerts. Times and durations in nanoseconds, as text. */
export function nativeRules(states: readonly GroupState[]): RulesResponse {
  return {
    groups: states.map((state) => ({
      name: state.group.name,
      file: state.group.file,
      intervalNanos: nanos(state.intervalMs),
      queryOffsetNanos: nanos(state.queryOffsetMs),
      limit: state.group.limit,
      evaluations: state.evaluations,
      missedEvaluations: state.missed,
      lastEvaluationUnixNano: nanos(state.lastEvaluationMs),
      lastDurationNanos: nanos(state.durationMs),
      rules: state.rules.map(ruleView),
    })),
  }
}

/**
 * The alerts of the rules, pending, firing and lately ended, for `/api/alerts`. `externalUrl`: our address as users reach it, without a
 * trailing slash.
 */
export function nativeAlerts(states: readonly GroupState[], externalUrl: string): readonly RuleAlert[] {
  return states.flatMap(({ group, rules }) =>
    rules.flatMap(({ rule, alerts }) =>
      alerts.map((alert) => ({
        ...alertView(alert),
        group: group.name,
        rule: rule.name,
        expr: rule.expr,
        generatorUrl: generatorUrl(externalUrl, rule.expr),
      })),
    ),
  )
}

function ruleView(state: RuleState): RuleView {
  const { rule, health, lastError, lastEvaluationMs, durationMs, elements, alerts } = state
  const outcome = {
    health,
    lastError,
    lastEvaluationUnixNano: nanos(lastEvaluationMs),
    lastDurationNanos: nanos(durationMs),
    elements,
  }
  const { name, expr } = rule
  const labels = labelsToRecord(labelsFrom(rule.labels))
  if (rule.kind === 'recording') return { kind: rule.kind, name, expr, labels, ...outcome }
  return {
    kind: rule.kind,
    name,
    expr,
    state: alertingState(state),
    holdNanos: nanos(rule.holdMs),
    keepFiringForNanos: nanos(rule.keepFiringForMs),
    labels,
    annotations: labelsToRecord(labelsFrom(rule.annotations)),
    ...outcome,
    alerts: alerts.map(alertView),
  }
}

function alertView(alert: AlertInstance): Omit<RuleAlert, 'group' | 'rule' | 'expr' | 'generatorUrl'> {
  return {
    state: alert.state,
    labels: labelsToRecord(alert.labels),
    annotations: labelsToRecord(alert.annotations),
    value: formatFloat(alert.value, 'g', -1),
    activeAtUnixNano: nanos(alert.activeAtMs),
    firedAtUnixNano: nanos(alert.firedAtMs),
    resolvedAtUnixNano: nanos(alert.resolvedAtMs),
    keepFiringSinceUnixNano: nanos(alert.keepFiringSinceMs),
    lastSentAtUnixNano: nanos(alert.lastSentAtMs),
  }
}

function nanos(ms: number): string
function nanos(ms: number | null): string | null
function nanos(ms: number | null): string | null {
  return ms === null ? null : String(BigInt(Math.round(ms * 1000)) * BigInt(NANOS_PER_MS / 1000))
}
