import type { Storage } from '../../storage/storage.ts'
import { formatBound } from '../promql/format-float.ts'
import { numberLists } from './number-lists.ts'
import { storableRange } from './read-samples.ts'
import { timeCondition } from './time-condition.ts'

const SOURCES = {
  le: { table: 'otlp_histograms', column: 'bounds' },
  quantile: { table: 'otlp_summaries', column: 'quantiles' },
} as const

/** The values of `le` that histograms had in a range, or those of `quantile` that summaries had; in no order. */
export async function listMadeValues(
  storage: Storage,
  request: {
    readonly tenant: string
    readonly name: keyof typeof SOURCES
    readonly fromMs: number
    readonly toMs: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<string[]> {
  const { table, column } = SOURCES[request.name]
  const { fromMs, toMs } = storableRange(request)
  const time = timeCondition({ fromMs, toMs })
  const { blocks, rows } = await storage.selectColumns({
    name: `metrics.made.${request.name}`,
    tenant: request.tenant,
    sql: `SELECT DISTINCT ${column} AS bounds
FROM ${table}
WHERE tenant = {tenant:String} AND ${time.sql}`,
    params: time.params,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  const numbers = new Set(blocks.flatMap((block) => numberLists(block, 'bounds').flat()))
  // Every histogram has a last bucket without bound.
  if (request.name === 'le' && rows > 0) numbers.add(Number.POSITIVE_INFINITY)
  return [...numbers].map(formatBound)
}
