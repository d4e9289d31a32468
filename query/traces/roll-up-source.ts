import type { BoundSql } from './bound-sql.ts'

/** Pairs of roll-ups: the second is made from the first. */
export type RollUp = 'red' | 'edges'

const FINE_MS = 10_000
const COARSE_MS = 300_000

/**
 * A subquery over the roll-ups of a range: the slots of five minutes inside it and, at its edges, the slots of ten
 * seconds. The range is epoch milliseconds, end exclusive, and is widened to whole slots of ten seconds.
 * `columns` exist in the roll-ups, `slot` among them; `where` is a condition on their columns. Rows of one key may be
 * several: sum them.
 */
export function rollUpSource(
  rollUp: RollUp,
  columns: readonly string[],
  range: {
    readonly startMs: number
    readonly endMs: number
    /** The slots are grouped by this width; absent: they are not told apart. */
    readonly stepMs?: number | undefined
  },
  where: BoundSql,
): BoundSql {
  const start = Math.floor(range.startMs / FINE_MS) * FINE_MS
  const end = Math.ceil(range.endMs / FINE_MS) * FINE_MS
  const coarseStart = Math.ceil(start / COARSE_MS) * COARSE_MS
  const coarseEnd = Math.floor(end / COARSE_MS) * COARSE_MS
  const branch = (table: string, slots: string) => `SELECT ${columns.join(', ')}
  FROM ${table}
  WHERE tenant = {tenant:String} AND (${slots}) AND ${where.sql}`
  const slots = (from: string, to: string) => `slot >= ${slotParameter(from)} AND slot < ${slotParameter(to)}`
  const isFineStep = range.stepMs !== undefined && range.stepMs % COARSE_MS !== 0
  if (isFineStep || coarseStart >= coarseEnd) {
    return {
      sql: branch(`${rollUp}_10s`, slots('from', 'to')),
      params: { ...where.params, from: start / 1000, to: end / 1000 },
    }
  }
  const edges = `${slots('from', 'coarseFrom')} OR ${slots('coarseTo', 'to')}`
  return {
    sql: `${branch(`${rollUp}_5m`, slots('coarseFrom', 'coarseTo'))}
  UNION ALL
  ${branch(`${rollUp}_10s`, edges)}`,
    params: {
      ...where.params,
      from: start / 1000,
      to: end / 1000,
      coarseFrom: coarseStart / 1000,
      coarseTo: coarseEnd / 1000,
    },
  }
}

/** Bound as a number of seconds: as text, a `DateTime` parameter would be read in the server's time zone. */
function slotParameter(name: string): string {
  return `toDateTime({${name}:Int64}, 'UTC')`
}
