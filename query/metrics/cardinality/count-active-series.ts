import type { Storage } from '../../../storage/storage.ts'
import { SAMPLE_TABLES } from '../../../storage/tables.ts'
import { timeCondition } from '../time-condition.ts'
import { type CardinalityRequest, currentSeries, questionOf } from './cardinality-request.ts'

/** How many series got samples within a time. */
export interface ActiveSeries {
  readonly series: number
  /** Whether the number was concluded from a sample of the series. */
  readonly isEstimate: boolean
}

/** Series that are looked at; of more this many are drawn, which makes the answer right within a few percent. */
const DRAWN = 2000

/** Counts the series, of `total` that there are, that got a sample since `sinceMs`. */
export async function countActiveSeries(
  storage: Storage,
  request: CardinalityRequest,
  total: number,
  sinceMs: number,
): Promise<ActiveSeries> {
  const base = await currentSeries(storage, request)
  const time = timeCondition({ fromMs: Math.max(0, sinceMs), toMs: request.nowMs })
  // Ids are hashes: the smallest of them are a fair draw.
  const rows = await storage.select<{ readonly active: string; readonly drawn: string }>({
    ...questionOf(request),
    name: 'metrics.cardinality.active',
    sql: `WITH drawn AS (SELECT DISTINCT id FROM (${base.sql}) ORDER BY id LIMIT ${DRAWN})
SELECT
  (SELECT count() FROM drawn) AS drawn,
  (SELECT uniqExact(series) FROM (
    ${SAMPLE_TABLES.map(
      (table) => `SELECT DISTINCT series FROM ${table}
    WHERE tenant = {tenant:String} AND ${time.sql} AND series GLOBAL IN (SELECT id FROM drawn)`,
    ).join('\n    UNION ALL\n    ')}
  )) AS active`,
    params: { ...base.params, ...time.params },
  })
  const active = Number(rows[0]?.active ?? 0)
  const drawn = Number(rows[0]?.drawn ?? 0)
  if (drawn < DRAWN) return { series: active, isEstimate: false }
  return { series: Math.round((active / drawn) * total), isEstimate: true }
}
