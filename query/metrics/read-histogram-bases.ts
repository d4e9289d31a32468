import { hexOf, numberArraysOf, numbersOf } from '../../storage/block-columns.ts'
import type { Storage } from '../../storage/storage.ts'
import { type SampleScope, scopeCondition } from './read-samples.ts'
import { rowOf } from './series-reader.ts'

/** For each bucket what is counted up to its bound. */
export const CUMULATED_COUNTS = 'arrayCumSum(arrayMap(x -> toFloat64(x), counts))'

/** What the differences of a histogram before a range come to. */
export interface HistogramBase {
  readonly total: number
  readonly sum: number
  /** By bucket, cumulated; empty when they were not asked for. */
  readonly cumulated: ArrayLike<number>
}

/** What came before a range, of each series (and of each list of bounds that it had). */
export interface HistogramBases {
  /** Null: nothing. */
  of(id: string, bounds: ArrayLike<number> | null): HistogramBase | null
}

/** Sums up all differences of histograms before a scope's range; what was sent twice for the same nanosecond counts once. */
export async function readHistogramBases(
  storage: Storage,
  scope: SampleScope,
  groupBy: readonly string[],
): Promise<HistogramBases> {
  const withBounds = groupBy.length > 0
  const keys = ['series', ...groupBy].join(', ')
  const { sql, params } = scopeCondition({ ...scope, fromMs: -1, toMs: scope.fromMs }, scope)
  const { blocks } = await storage.selectColumns({
    name: 'metrics.histogramBases',
    tenant: scope.tenant,
    sql: `SELECT ${keys}, sum(total) AS total, sum(sums) AS sums${withBounds ? ', sumForEach(cumulated) AS cumulated' : ''}
FROM (
  SELECT ${keys}, ts, max(toFloat64(count)) AS total, max(sum) AS sums${withBounds ? `, argMax(${CUMULATED_COUNTS}, count) AS cumulated` : ''}
  FROM otlp_histograms
  WHERE ${sql} AND bitAnd(flags, 1) = 0
  GROUP BY ${keys}, ts
)
GROUP BY ${keys}`,
    params,
    ...(scope.signal === undefined ? {} : { signal: scope.signal }),
  })
  const bases = new Map<string, HistogramBase>()
  const keyOf = (id: string, bounds: ArrayLike<number> | null) =>
    `${id} ${Array.from(bounds ?? []).join(' ')}`
  for (const block of blocks) {
    const totals = numbersOf(block, 'total')
    const sums = numbersOf(block, 'sums')
    const bounds = withBounds ? numberArraysOf(block, 'bounds') : null
    const cumulated = withBounds ? numberArraysOf(block, 'cumulated') : null
    for (const [row, id] of hexOf(block, 'series').entries()) {
      bases.set(keyOf(id, bounds === null ? null : rowOf(bounds, row)), {
        total: Number(totals[row]),
        sum: Number(sums[row]),
        cumulated: cumulated === null ? [] : (rowOf(cumulated, row) ?? []),
      })
    }
  }
  return { of: (id, bounds) => bases.get(keyOf(id, bounds)) ?? null }
}
