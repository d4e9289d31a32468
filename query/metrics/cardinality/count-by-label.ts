import { compareBytes } from '../../../model/labels.ts'
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

/** Labels and their values; `__name__` is not among them. */
export interface LabelCardinalities {
  /** All labels, those with the most values first. */
  readonly labels: readonly LabelCardinality[]
  /** The values with the most series first. */
  readonly pairs: readonly PairCardinality[]
}

/** Counts values of labels. `pairsOf`: the label whose values are told; null: those of all. */
export async function countByLabel(
  storage: Storage,
  request: CardinalityRequest,
  pairsOf: string | null,
): Promise<LabelCardinalities> {
  const base = await currentSeries(storage, request)
  // What is a top value of all is one of its label.
  const rows = await storage.select<Row>({
    ...questionOf(request),
    name: 'metrics.cardinality.labels',
    sql: `SELECT
  label,
  count() AS values,
  sum(pairSeries) AS series,
  sum(pairSeries * length(value)) AS bytes,
  groupArraySorted(${request.limit})((-toInt64(pairSeries), value)) AS top
FROM (
  SELECT label, value, count() AS pairSeries
  FROM (${base.sql})
  ARRAY JOIN mapKeys(seriesLabels) AS label, mapValues(seriesLabels) AS value
  GROUP BY label, value
)
GROUP BY label
ORDER BY values DESC, label`,
    params: base.params,
  })
  const pairs = rows
    .filter(({ label }) => pairsOf === null || label === pairsOf)
    .flatMap(({ label, top }) =>
      top.map(([negative, value]): PairCardinality => ({ label, value, series: -Number(negative) })),
    )
    .sort((a, b) => b.series - a.series || compareBytes(a.label, b.label) || compareBytes(a.value, b.value))
    .slice(0, request.limit)
  const labels = rows.map((row) => ({
    label: row.label,
    values: Number(row.values),
    series: Number(row.series),
    bytes: Number(row.bytes),
  }))
  return { labels, pairs }
}

interface Row {
  readonly label: string
  readonly values: string
  readonly series: string
  readonly bytes: string
  readonly top: readonly (readonly [string, string])[]
}
