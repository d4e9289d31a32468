import type { TableName } from '../../storage/tables.ts'
import type { BoundSql } from '../traces/bound-sql.ts'
import { type IndexMatcher, matcherConditions } from './matcher-conditions.ts'

/** What a row of the index is, by its number in the column `kind`. */
export const SERIES_KINDS = {
  gauge: 1,
  sum: 2,
  histogram: 3,
  exponential_histogram: 4,
  summary: 5,
  sample: 6,
} as const

/** What a row of the index is. */
export type SeriesKind = keyof typeof SERIES_KINDS

/** The table that {@link indexCondition} is for: a row per series and week, found by name, `job` and any label's value. */
export const INDEX_TABLE = 'prom_index' satisfies TableName

/** Which rows of the index: those told of since the day of `fromMs`, as telemetry may come later than it is dated. */
export interface IndexCondition {
  readonly matchers: readonly IndexMatcher[]
  /** Epoch milliseconds. */
  readonly fromMs: number
}

const DAY_MS = 86_400_000

/** The condition on rows of {@link INDEX_TABLE} (or of `prom_series`), for a statement's subquery; see {@link matcherConditions}. */
export function indexCondition({ matchers, fromMs }: IndexCondition): BoundSql {
  const { sql, params } = matcherConditions(matchers)
  const day = dayCondition(fromMs)
  return { sql: `${day.sql} AND ${sql}`, params: { ...params, ...day.params } }
}

/** The condition on rows of the index, and of the labels' values, that they were told of since the day of `fromMs`. */
export function dayCondition(fromMs: number): BoundSql {
  // A day earlier: senders' clocks may be ahead of the receiver's, which dates the row.
  const indexDay = Math.max(0, Math.min(65_535, Math.floor(fromMs / DAY_MS) - 1))
  return { sql: 'tenant = {tenant:String} AND day >= toDate({indexDay:UInt16})', params: { indexDay } }
}
