import type { Storage } from '../../../storage/storage.ts'
import { type CardinalityRequest, currentSeries, questionOf } from './cardinality-request.ts'

/** How many values a label has. */
export interface LabelCardinality {
  readonly label: string
  readonly values: number
  /** Series that have the label. */
  readonly series: number
  /** Bytes of its values in all series, as Prometheus counts them. */
  readonly bytes: number
}

/** How many series a value of a label has. */
export interface PairCardinality {
  readonly label: string
  readonly value: string
  readonly series: number
}

/** The labels with the most values first. `__name__` is not among them. */
export async function countByLabel(
  storage: Storage,
  request: CardinalityRequest,
): Promise<LabelCardinality[]> {
  const base = await currentSeries(storage, request)
  const rows = await storage.select<Record<keyof LabelCardinality, string>>({
    ...questionOf(request),
    name: 'metrics.cardinality.labels',
    sql: `SELECT label, count() AS values, sum(pairSeries) AS series, sum(pairSeries * length(value)) AS bytes
FROM (${pairs(base.sql)})
GROUP BY label
ORDER BY values DESC, label
LIMIT {most:UInt32}`,
    params: { ...base.params, most: request.limit },
  })
  return rows.map((row) => ({
    label: row.label,
    values: Number(row.values),
    series: Number(row.series),
    bytes: Number(row.bytes),
  }))
}

/** The values with the most series first, of one label or (null) of all but `__name__`. */
export async function countByPair(
  storage: Storage,
  request: CardinalityRequest,
  ofLabel: string | null,
): Promise<PairCardinality[]> {
  const base = await currentSeries(storage, request)
  const rows = await storage.select<{ label: string; value: string; pairSeries: string }>({
    ...questionOf(request),
    name: 'metrics.cardinality.pairs',
    sql: `${pairs(base.sql, ofLabel !== null)}
ORDER BY pairSeries DESC, label, value
LIMIT {most:UInt32}`,
    params: { ...base.params, most: request.limit, ...(ofLabel === null ? {} : { ofLabel }) },
  })
  return rows.map(({ label, value, pairSeries }) => ({ label, value, series: Number(pairSeries) }))
}

function pairs(series: string, isOneLabel = false): string {
  return `SELECT label, value, count() AS pairSeries
FROM (${series})
ARRAY JOIN mapKeys(seriesLabels) AS label, mapValues(seriesLabels) AS value${isOneLabel ? '\nWHERE label = {ofLabel:String}' : ''}
GROUP BY label, value`
}
