import { hexOf, numbersOf } from '../../storage/block-columns.ts'
import type { Storage } from '../../storage/storage.ts'
import type { TableName } from '../../storage/tables.ts'
import { type SampleScope, scopeCondition } from './read-samples.ts'

/** What is summed up, of which table. */
export interface DeltaBaseRead {
  readonly table: TableName
  /** Numbers by the names that their sums get. */
  readonly values: Readonly<Record<string, string>>
  /** Rows that count; absent: all. */
  readonly condition?: string
}

/**
 * The sums of all differences that were stored before a scope's range, by series: so an answer does not depend on where a read begins. A series
 * without earlier rows is not there. What was sent twice for the same nanosecond counts once.
 */
export async function readDeltaBases(
  storage: Storage,
  scope: SampleScope,
  { table, values, condition }: DeltaBaseRead,
): Promise<ReadonlyMap<string, Readonly<Record<string, number>>>> {
  const bases = new Map<string, Readonly<Record<string, number>>>()
  if (scope.ids.length === 0) return bases
  const names = Object.keys(values)
  const { sql, params } = scopeCondition({ ...scope, fromMs: EARLIEST_MS, toMs: scope.fromMs }, scope)
  const { blocks } = await storage.selectColumns({
    name: 'metrics.deltaBases',
    tenant: scope.tenant,
    sql: `SELECT series, ${names.map((name) => `sum(${name}) AS ${name}`).join(', ')}
FROM (
  SELECT series, ts, ${names.map((name) => `max(toFloat64(${values[name]})) AS ${name}`).join(', ')}
  FROM ${table}
  WHERE ${sql} AND bitAnd(flags, 1) = 0${condition === undefined ? '' : ` AND (${condition})`}
  GROUP BY series, ts
)
GROUP BY series`,
    params,
    ...(scope.signal === undefined ? {} : { signal: scope.signal }),
  })
  for (const block of blocks) {
    const columns = names.map((name) => [name, numbersOf(block, name)] as const)
    for (const [row, id] of hexOf(block, 'series').entries()) {
      bases.set(id, Object.fromEntries(columns.map(([name, column]) => [name, Number(column[row])])))
    }
  }
  return bases
}

/** Before anything that can be stored. */
const EARLIEST_MS = -1
