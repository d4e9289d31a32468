import type { Matcher } from '../../../model/matcher.ts'
import type { Storage } from '../../../storage/storage.ts'
import type { BoundSql } from '../../traces/bound-sql.ts'
import { dayCondition, INDEX_TABLE } from '../index-condition.ts'
import { matcherConditions } from '../matcher-conditions.ts'
import { resolveMatchers } from '../resolve-matchers.ts'

/** Of which series the cardinality is asked. */
export interface CardinalityRequest {
  readonly tenant: string
  /** Epoch milliseconds. */
  readonly nowMs: number
  /** Series that match all of these. */
  readonly matchers: readonly Matcher[]
  /** Entries of each list. */
  readonly limit: number
  readonly signal?: AbortSignal | undefined
}

const DAY_MS = 86_400_000

/**
 * A subquery of the series that were told of today or yesterday (UTC), one row each: `name, id, seriesLabels, first` (the first time within two
 * weeks that they were told of). With `memoryDays` it reaches further back.
 */
export async function currentSeries(
  storage: Storage,
  request: CardinalityRequest,
  memoryDays = 1,
): Promise<BoundSql> {
  const { tenant, nowMs, signal } = request
  const fromMs = nowMs - 7 * DAY_MS
  const matchers = await resolveMatchers(storage, { tenant, matchers: request.matchers, fromMs, signal })
  const { sql, params } = matcherConditions(matchers)
  // A series that goes on since before this week has a row in last week's part, which tells that it is not new.
  const days = dayCondition(nowMs - (memoryDays + 7) * DAY_MS)
  return {
    // FINAL makes one row of those of a series, of different weeks too; the last day is looked at behind it.
    sql: `SELECT name, id, labels AS seriesLabels, first_seen AS first
FROM ${INDEX_TABLE} FINAL
WHERE ${days.sql} AND identity(day) >= toDate({sinceDay:UInt16}) AND ${sql}`,
    params: { ...params, ...days.params, sinceDay: Math.max(0, Math.floor(nowMs / DAY_MS) - memoryDays) },
  }
}

/** The parts of a question that do not differ. */
export function questionOf({ tenant, signal }: CardinalityRequest) {
  return { tenant, ...(signal === undefined ? {} : { signal }) }
}
