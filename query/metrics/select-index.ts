import { type Labels, labelsFrom } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import type { Storage } from '../../storage/storage.ts'
import type { BoundSql } from '../traces/bound-sql.ts'
import { matcherConditions } from './matcher-conditions.ts'

/** What a row of `prom_series` is. */
export type SeriesKind = 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary' | 'sample'

/** A row of `prom_series`: what one series or the series of one histogram are called. */
export interface IndexedSeries {
  /** 32 hex digits. */
  readonly id: string
  /** In Prometheus' form; of histograms and summaries without suffix. */
  readonly name: string
  readonly kind: SeriesKind
  readonly isDelta: boolean
  /** The name in the tables of points. */
  readonly metric: string
  /** Without the name. */
  readonly labels: Labels
}

/** Which rows of the index: those told of since the day of `fromMs`, as telemetry may come later than it is dated. */
export interface IndexRequest {
  readonly tenant: string
  readonly matchers: readonly Matcher[]
  readonly fromMs: number
  /** Rows at most; absent: the configured limit, beyond which RESULT_TOO_LARGE is thrown. */
  readonly limit?: number
  readonly signal?: AbortSignal | undefined
}

const DAY_MS = 86_400_000

/** The condition of {@link selectIndex} on `prom_series`, for a statement's subquery. */
export function indexCondition({ matchers, fromMs }: Pick<IndexRequest, 'matchers' | 'fromMs'>): BoundSql {
  const { sql, params } = matcherConditions(matchers)
  // A day earlier: senders' clocks may be ahead of the receiver's, which dates the row.
  const day = Math.max(0, Math.min(65_535, Math.floor(fromMs / DAY_MS) - 1))
  return {
    sql: `tenant = {tenant:String} AND day >= toDate({indexDay:UInt16}) AND ${sql}`,
    params: { ...params, indexDay: day },
  }
}

/** Reads the index: every row that is or holds a series that matches (see {@link matcherConditions}). */
export async function selectIndex(storage: Storage, request: IndexRequest): Promise<IndexedSeries[]> {
  const { tenant, limit, signal } = request
  const condition = indexCondition(request)
  const rows = await storage.select<Row>({
    name: 'metrics.index',
    tenant,
    sql: `SELECT
  lower(hex(id)) AS seriesId,
  name,
  any(kind) AS seriesKind,
  any(temporality) = 'delta' AS isDelta,
  any(metric) AS rawName,
  CAST(any(labels), 'Array(Tuple(String, String))') AS labelPairs
FROM prom_series
WHERE ${condition.sql}
GROUP BY name, id${limit === undefined ? '' : '\nLIMIT {limit:UInt32}'}`,
    params: { ...condition.params, ...(limit === undefined ? {} : { limit }) },
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.map(({ seriesId, name, seriesKind, isDelta, rawName, labelPairs }) => ({
    id: seriesId,
    name,
    kind: seriesKind,
    isDelta: Boolean(isDelta),
    metric: rawName,
    labels: labelsFrom(labelPairs),
  }))
}

interface Row {
  readonly seriesId: string
  readonly name: string
  readonly seriesKind: SeriesKind
  readonly isDelta: boolean | number
  readonly rawName: string
  readonly labelPairs: readonly [string, string][]
}
