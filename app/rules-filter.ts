import { readMatchers } from '../query/http/prometheus/prometheus-parameters.ts'
import { allValues, firstValue, type QueryString } from '../query/http/query-values.ts'
import type { PrometheusRulesFilter } from '../rules/views/prometheus-rules.ts'
import { AppError } from '../runtime/errors.ts'

/** Reads the parameters of Prometheus' `/api/v1/rules`. Throws AppError INVALID_ARGUMENT in its words. */
export function readRulesFilter(query: QueryString): PrometheusRulesFilter {
  const type = firstValue(query, 'type')
  if (type !== null && type !== 'alert' && type !== 'record') {
    throw new AppError('INVALID_ARGUMENT', `not supported value "${type}"`)
  }
  return {
    type,
    ruleNames: allValues(query, 'rule_name[]'),
    ruleGroups: allValues(query, 'rule_group[]'),
    files: allValues(query, 'file[]'),
    match: readMatchers(query),
    excludeAlerts: firstValue(query, 'exclude_alerts') === 'true',
  }
}
