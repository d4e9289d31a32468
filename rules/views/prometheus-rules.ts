import { type Labels, labelsFrom, labelsToRecord, labelValue } from '../../model/labels.ts'
import { compileMatcher, type Matcher } from '../../model/matcher.ts'
import { formatFloat } from '../../model/template/format-float.ts'
import { parseExpression } from '../../query/promql/parse-expression.ts'
import { printExpression } from '../../query/promql/print-expression.ts'
import type { AlertInstance } from '../next-alert-state.ts'
import { alertingState, type GroupState, type RuleState } from '../rule-state.ts'

/** What of the rules is asked for: the parameters of Prometheus' `/api/v1/rules`. Empty lists ask for everything. */
export interface PrometheusRulesFilter {
  readonly type?: 'alert' | 'record' | null
  readonly ruleNames?: readonly string[]
  readonly ruleGroups?: readonly string[]
  readonly files?: readonly string[]
  /** Each list is the matchers of one `match[]`; a rule is wanted when all matchers of one list fit its labels. */
  readonly match?: readonly (readonly Matcher[])[]
  readonly excludeAlerts?: boolean
}

/** The `data` of Prometheus' `/api/v1/rules`. */
export function prometheusRules(states: readonly GroupState[], filter: PrometheusRulesFilter = {}): object {
  const isNamed = (names: readonly string[] | undefined, name: string) =>
    names === undefined || names.length === 0 || names.includes(name)
  const isWanted = ({ rule }: RuleState) =>
    (filter.type == null || (filter.type === 'alert') === (rule.kind === 'alerting')) &&
    isNamed(filter.ruleNames, rule.name) &&
    matchesAny(filter.match ?? [], labelsFrom(rule.labels))
  const groups = states
    .filter(({ group }) => isNamed(filter.ruleGroups, group.name) && isNamed(filter.files, group.file))
    .map((state) => ({ state, rules: state.rules.filter(isWanted) }))
    .filter(({ state, rules }) => rules.length > 0 || state.rules.length === 0)
  return {
    groups: groups.map(({ state, rules }) => ({
      name: state.group.name,
      file: state.group.file,
      rules: rules.map((rule) => ruleView(rule, filter.excludeAlerts === true)),
      interval: state.intervalMs / 1000,
      limit: state.group.limit,
      evaluationTime: state.durationMs / 1000,
      lastEvaluation: timeText(state.lastEvaluationMs),
    })),
  }
}

/** The `data` of Prometheus' `/api/v1/alerts`. */
export function prometheusAlerts(states: readonly GroupState[]): object {
  return { alerts: states.flatMap(({ rules }) => rules).flatMap(activeAlerts) }
}

function ruleView(state: RuleState, excludeAlerts: boolean): object {
  const { rule, health, lastError, durationMs, lastEvaluationMs } = state
  const outcome = {
    health,
    ...(lastError === null ? {} : { lastError }),
    evaluationTime: durationMs / 1000,
    lastEvaluation: timeText(lastEvaluationMs),
  }
  const { name } = rule
  const query = canonical(rule.expr)
  const labels = labelsToRecord(labelsFrom(rule.labels))
  if (rule.kind === 'recording') {
    return { name, query, ...(rule.labels.length === 0 ? {} : { labels }), ...outcome, type: 'recording' }
  }
  return {
    state: alertingState(state),
    name,
    query,
    duration: rule.holdMs / 1000,
    keepFiringFor: rule.keepFiringForMs / 1000,
    labels,
    annotations: labelsToRecord(labelsFrom(rule.annotations)),
    ...(excludeAlerts ? {} : { alerts: activeAlerts(state) }),
    ...outcome,
    type: 'alerting',
  }
}

function activeAlerts({ alerts }: RuleState): readonly object[] {
  return alerts.filter(({ state }) => state !== 'inactive').map(alertView)
}

function alertView(alert: AlertInstance): object {
  const { labels, annotations, state, activeAtMs, keepFiringSinceMs, value } = alert
  return {
    labels: labelsToRecord(labels),
    annotations: labelsToRecord(annotations),
    state,
    activeAt: timeText(activeAtMs),
    ...(keepFiringSinceMs === null ? {} : { keepFiringSince: timeText(keepFiringSinceMs) }),
    value: formatFloat(value, 'e', -1),
  }
}

function matchesAny(lists: readonly (readonly Matcher[])[], labels: Labels): boolean {
  if (lists.length === 0) return true
  return lists.some((matchers) =>
    matchers.every((matcher) => compileMatcher(matcher)(labelValue(labels, matcher.name))),
  )
}

function canonical(expr: string): string {
  try {
    return printExpression(parseExpression(expr))
  } catch {
    return expr
  }
}

/** Go writes its zero time for never. */
function timeText(ms: number | null): string {
  return ms === null ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString()
}
