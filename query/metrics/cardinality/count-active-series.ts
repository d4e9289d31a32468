import type { Storage } from '../../../storage/storage.ts'
import { type CardinalityRequest, currentSeries, questionOf } from './cardinality-request.ts'

/** How many series got samples within a time. */
export interface ActiveSeries {
  readonly series: number
  /** Whether the number was concluded from a sample of the series. */
  readonly isEstimate: boolean
}

/** Series that are looked at; of more this many are drawn, which makes the answer right within a few percent. */
const DRAWN = 2000

const TABLES = [
  'metric_points',
  'metric_histograms',
  'metric_exponential_histograms',
  'metric_summaries',
  'metric_samples',
  'metric_native_histograms',
]

/** Counts the series, of `total` that there are, that got a sample since `sinceMs`. */
export async function countActiveSeries(
  storage: Storage,
  request: CardinalityRequest,
  total: number,
  sinceMs: number,
): Promise<ActiveSeries> {
  const base = await currentSeries(storage, request)
  // Ids are hashes: the smallest of them are a fair draw.
  const rows = await storage.select<{ readonly active: string; readonly drawn: string }>({
    ...questionOf(request),
    name: 'metrics.cardinality.active',
    sql: `WITH drawn AS (SELECT DISTINCT id FROM (${base.sql}) ORDER BY id LIMIT ${DRAWN})
SELECT
  (SELECT count() FROM drawn) AS drawn,
  (SELECT uniqExact(series) FROM (
    ${TABLES.map(
      (table) => `SELECT DISTINCT series FROM ${table}
    WHERE tenant = {tenant:String} AND ts > fromUnixTimestamp64Milli({sinceMs:Int64}) AND ts <= fromUnixTimestamp64Milli({nowMs:Int64}) AND series GLOBAL IN (SELECT id FROM drawn)`,
    ).join('\n    UNION ALL\n    ')}
  )) AS active`,
    params: { ...base.params, sinceMs: Math.max(0, sinceMs), nowMs: request.nowMs },
  })
  const active = Number(rows[0]?.active ?? 0)
  const drawn = Number(rows[0]?.drawn ?? 0)
  if (drawn < DRAWN) return { series: active, isEstimate: false }
  return { series: Math.round((active / drawn) * total), isEstimate: true }
}
