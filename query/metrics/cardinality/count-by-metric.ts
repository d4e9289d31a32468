import type { Storage } from '../../../storage/storage.ts'
import { type CardinalityRequest, currentSeries, questionOf } from './cardinality-request.ts'

/** How many series a metric has. A histogram of OTLP counts as one. */
export interface MetricCardinality {
  readonly metric: string
  readonly series: number
  /** Told of for the first time within the last hour. */
  readonly newInHour: number
  readonly newInDay: number
}

/** The metrics that match, and their sums. */
export interface MetricCardinalities {
  readonly metrics: number
  readonly series: number
  readonly newInHour: number
  readonly newInDay: number
  /** Those with the most series first. */
  readonly most: readonly MetricCardinality[]
  /** Those with the most series that are new since a day first; none without new ones. */
  readonly growing: readonly MetricCardinality[]
}

const HOUR_S = 3600

/** Counts the series of today and yesterday by metric. */
export async function countByMetric(
  storage: Storage,
  request: CardinalityRequest,
): Promise<MetricCardinalities> {
  const base = await currentSeries(storage, request)
  const nowS = Math.floor(request.nowMs / 1000)
  const rows = await storage.select<Record<keyof MetricCardinality, string>>({
    ...questionOf(request),
    name: 'metrics.cardinality.metrics',
    sql: `SELECT
  name AS metric,
  count() AS series,
  countIf(first > toDateTime({hourAgo:UInt32}, 'UTC')) AS newInHour,
  countIf(first > toDateTime({dayAgo:UInt32}, 'UTC')) AS newInDay
FROM (${base.sql})
GROUP BY name`,
    params: { ...base.params, hourAgo: Math.max(0, nowS - HOUR_S), dayAgo: Math.max(0, nowS - 24 * HOUR_S) },
  })
  const all = rows.map(
    (row): MetricCardinality => ({
      metric: row.metric,
      series: Number(row.series),
      newInHour: Number(row.newInHour),
      newInDay: Number(row.newInDay),
    }),
  )
  const sum = (field: 'series' | 'newInHour' | 'newInDay') =>
    all.reduce((total, row) => total + row[field], 0)
  const top = (field: 'series' | 'newInDay') =>
    [...all]
      .sort((a, b) => b[field] - a[field] || (a.metric < b.metric ? -1 : 1))
      .filter((row) => row[field] > 0)
      .slice(0, request.limit)
  return {
    metrics: all.length,
    series: sum('series'),
    newInHour: sum('newInHour'),
    newInDay: sum('newInDay'),
    most: top('series'),
    growing: top('newInDay'),
  }
}
