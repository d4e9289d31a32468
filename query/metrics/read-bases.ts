import { hexOf, numbersOf } from '../../storage/block-columns.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import type { Storage } from '../../storage/storage.ts'
import type { TableName } from '../../storage/tables.ts'
import { deltasFromMs } from './delta-day.ts'
import { type SampleScope, scopeCondition } from './read-samples.ts'

/** Which differences are summed up. */
export interface BasesRead {
  /** Stable name of the question. */
  readonly name: string
  readonly table: TableName
  /** What sums are told apart by beside the series. */
  readonly groupBy: readonly string[]
  readonly sums: readonly BaseSum[]
  /** All that is stored counts, not a day alone. */
  readonly isEndless: boolean
  /** Rows that count; absent: all that have a value. */
  readonly condition?: string
}

/** A sum, by the name of its column. */
export interface BaseSum {
  readonly name: string
  /** A row's value. */
  readonly value: string
  readonly sum: 'sum' | 'sumForEach'
  /** Which of several rows for one moment counts: that with the greatest of this. */
  readonly greatest: string
}

/** A row of an answer. */
export interface BaseRow {
  readonly id: string
  readonly block: ColumnBlock
  readonly row: number
}

/**
 * Sums up all differences of the day in which a scope's range begins that lie before it, by series: so an answer does not depend on where a read begins. Series
 * without such rows are not there. What was sent twice for the same nanosecond counts once: it takes much memory to tell that moment by moment, and so it is
 * done for those series alone that have fewer moments than rows. Throws what `Storage.select` throws.
 */
export async function readBases(
  storage: Storage,
  scope: SampleScope,
  read: BasesRead,
): Promise<readonly BaseRow[]> {
  const fromMs = read.isEndless ? EARLIEST_MS : deltasFromMs(scope.fromMs)
  if (scope.ids.length === 0 || fromMs === scope.fromMs) return []
  const ask = async (ids: readonly string[], statement: (table: string) => string) => {
    const { sql, params } = scopeCondition({ ...scope, fromMs, toMs: scope.fromMs }, { ids })
    const condition = read.condition === undefined ? '' : ` AND (${read.condition})`
    const { blocks } = await storage.selectColumns({
      name: read.name,
      tenant: scope.tenant,
      sql: statement(`${read.table}\nWHERE ${sql} AND bitAnd(flags, 1) = 0${condition}`),
      params,
      ...(scope.signal === undefined ? {} : { signal: scope.signal }),
    })
    return blocks
  }
  const rows = rowsOf(await ask(scope.ids, (table) => plainSums(read, table)))
  const repeated = new Set(rows.filter(({ hasRepeated }) => hasRepeated).map(({ id }) => id))
  if (repeated.size === 0) return rows
  const distinct = rowsOf(await ask([...repeated], (table) => distinctSums(read, table)))
  return [...rows.filter(({ id }) => !repeated.has(id)), ...distinct]
}

/** Before anything that can be stored. */
const EARLIEST_MS = -1

function plainSums({ groupBy, sums }: BasesRead, table: string): string {
  const keys = ['series', ...groupBy].join(', ')
  return `SELECT ${keys}, ${sums.map(({ name, value, sum }) => `${sum}(${value}) AS ${name}`).join(', ')}, count() > uniqExact(ts) AS repeated
FROM ${table}
GROUP BY ${keys}`
}

function distinctSums({ groupBy, sums }: BasesRead, table: string): string {
  const keys = ['series', ...groupBy].join(', ')
  const picked = sums.map(({ name, value, greatest }) => `argMax(${value}, ${greatest}) AS ${name}`)
  return `SELECT ${keys}, ${sums.map(({ name, sum }) => `${sum}(${name}) AS ${name}`).join(', ')}, 0 AS repeated
FROM (
  SELECT ${keys}, ts, ${picked.join(', ')}
  FROM ${table}
  GROUP BY ${keys}, ts
)
GROUP BY ${keys}`
}

function rowsOf(blocks: readonly ColumnBlock[]): (BaseRow & { readonly hasRepeated: boolean })[] {
  return blocks.flatMap((block) => {
    const repeated = numbersOf(block, 'repeated')
    return hexOf(block, 'series').map((id, row) => ({
      id,
      block,
      row,
      hasRepeated: Number(repeated[row]) === 1,
    }))
  })
}
