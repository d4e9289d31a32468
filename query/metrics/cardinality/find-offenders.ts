import type { Storage } from '../../../storage/storage.ts'
import { type CardinalityRequest, currentSeries, questionOf } from './cardinality-request.ts'
import type { MetricCardinality } from './count-by-metric.ts'

/** A metric that grows, and the label that makes it grow. */
export interface Offender extends MetricCardinality {
  /** The one that got the most new values within a day; '' when none did. */
  readonly label: string
  readonly values: number
  readonly newValues: number
  /** Some of the newest. */
  readonly examples: readonly string[]
}

const EXAMPLES = 3

/** Says of metrics that got new series which label is at fault. */
export async function findOffenders(
  storage: Storage,
  request: CardinalityRequest,
  growing: readonly MetricCardinality[],
): Promise<Offender[]> {
  if (growing.length === 0) return []
  const names = growing.map(({ metric }) => metric)
  const base = await currentSeries(storage, request)
  const rows = await storage.select<{
    metric: string
    label: string
    values: string
    newValues: string
    examples: string[]
  }>({
    ...questionOf(request),
    name: 'metrics.cardinality.offenders',
    sql: `SELECT
  name AS metric,
  label,
  count() AS values,
  countIf(firstOfValue > toDateTime({dayAgo:UInt32}, 'UTC')) AS newValues,
  arrayMap(x -> x.2, arrayReverseSort(groupArrayIf(${EXAMPLES})((firstOfValue, value), firstOfValue > toDateTime({dayAgo:UInt32}, 'UTC')))) AS examples
FROM (
  SELECT name, label, value, min(first) AS firstOfValue
  FROM (${base.sql})
  ARRAY JOIN mapKeys(seriesLabels) AS label, mapValues(seriesLabels) AS value
  WHERE name IN {names:Array(String)}
  GROUP BY name, label, value
)
GROUP BY name, label
HAVING newValues > 0
ORDER BY newValues DESC, label
LIMIT 1 BY name`,
    params: {
      ...base.params,
      names,
      dayAgo: Math.max(0, Math.floor(request.nowMs / 1000) - 86_400),
    },
  })
  return growing.map((metric) => {
    const row = rows.find((each) => each.metric === metric.metric)
    return {
      ...metric,
      label: row?.label ?? '',
      values: Number(row?.values ?? 0),
      newValues: Number(row?.newValues ?? 0),
      examples: row?.examples ?? [],
    }
  })
}
