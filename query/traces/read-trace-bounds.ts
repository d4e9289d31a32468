import type { QueryDeps } from '../query-deps.ts'
import { storableDay, traceIdSet } from './bound-sql.ts'

/** Between which times the spans of some traces start; epoch nanoseconds, inclusive. */
export interface TraceBounds {
  readonly startNs: bigint
  readonly endNs: bigint
}

/**
 * Finds the bounds of traces from the trace index, all together. Null when none of them is stored.
 * `days`: epoch milliseconds, inclusive; only what the index holds for these days (UTC) and the days beside them counts.
 */
export async function readTraceBounds(
  deps: QueryDeps,
  request: {
    readonly tenant: string
    readonly traceIds: readonly string[]
    readonly days?: { readonly startMs: number; readonly endMs: number } | undefined
    readonly signal?: AbortSignal | undefined
  },
): Promise<TraceBounds | null> {
  const { tenant, traceIds, days, signal } = request
  const day = (name: string) => `toDate(fromUnixTimestamp64Milli({${name}:Int64}, 'UTC'))`
  const rows = await deps.storage.select<{ startNs: string; endNs: string; found: string }>({
    name: 'traces.bounds',
    tenant,
    sql: `SELECT
  toString(toUnixTimestamp64Nano(min(start))) AS startNs,
  toString(toUnixTimestamp64Nano(max(end))) AS endNs,
  toString(count()) AS found
FROM traces
WHERE tenant = {tenant:String}
  AND trace_id IN ${traceIdSet('traceIds')}${
    days === undefined ? '' : `\n  AND day BETWEEN ${day('startMs')} - 1 AND ${day('endMs')} + 1`
  }`,
    // A few granules: sharing them out among threads takes longer than reading them.
    settings: { max_threads: 1 },
    params: {
      traceIds,
      ...(days === undefined ? {} : { startMs: storableDay(days.startMs), endMs: storableDay(days.endMs) }),
    },
    ...(signal === undefined ? {} : { signal }),
  })
  const row = rows[0]
  if (row === undefined || row.found === '0') return null
  return { startNs: BigInt(row.startNs), endNs: BigInt(row.endNs) }
}
