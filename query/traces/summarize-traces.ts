import type { QueryDeps } from '../query-deps.ts'
import { timeRange, traceIdSet } from './bound-sql.ts'
import type { MatchingSpan } from './matching-spans.ts'
import { readTraceBounds } from './read-trace-bounds.ts'
import type { TraceSummary } from './trace.ts'

/**
 * Makes the result lines for matching spans of different traces, in the order given. Spans that were sent twice count
 * twice. Throws what `Storage.select` throws.
 */
export async function summarizeTraces(
  deps: QueryDeps,
  request: { readonly tenant: string; readonly signal?: AbortSignal | undefined },
  matches: readonly MatchingSpan[],
): Promise<TraceSummary[]> {
  if (matches.length === 0) return []
  const { tenant, signal } = request
  const traceIds = matches.map(({ traceId }) => traceId)
  const startsMs = matches.map(({ startNs }) => Number(startNs / 1_000_000n))
  const days = { startMs: Math.min(...startsMs), endMs: Math.max(...startsMs) }
  const bounds = await readTraceBounds(deps, { tenant, traceIds, days, signal })
  if (bounds === null) return []
  const range = timeRange(bounds.startNs, bounds.endNs)
  const rows = await deps.storage.select<Row>({
    name: 'traces.summarize',
    tenant,
    sql: `SELECT
  lower(hex(trace_id)) AS traceId,
  service,
  toString(toUnixTimestamp64Nano(min(ts))) AS startNs,
  toString(max(toUnixTimestamp64Nano(ts) + greatest(duration_ns, 0))) AS endNs,
  toUInt32(count()) AS spanCount,
  toUInt32(countIf(is_error)) AS errorCount,
  toString(minIf(toUnixTimestamp64Nano(ts), parent_span_id = toFixedString('', 8))) AS rootStartNs,
  toUInt32(countIf(parent_span_id = toFixedString('', 8))) AS rootCount,
  argMinIf(name, ts, parent_span_id = toFixedString('', 8)) AS rootName
FROM spans
WHERE tenant = {tenant:String}
  AND ${range.sql}
  AND trace_id IN ${traceIdSet('traceIds')}
GROUP BY trace_id, service
ORDER BY trace_id, spanCount DESC, service`,
    params: { ...range.params, traceIds },
    ...(signal === undefined ? {} : { signal }),
  })
  const byTrace = Map.groupBy(rows, (row) => row.traceId)
  return matches.map((match) => summarize(match, byTrace.get(match.traceId) ?? []))
}

interface Row {
  readonly traceId: string
  readonly service: string
  readonly startNs: string
  readonly endNs: string
  readonly spanCount: number
  readonly errorCount: number
  readonly rootStartNs: string
  readonly rootCount: number
  readonly rootName: string
}

function summarize(match: MatchingSpan, rows: readonly Row[]): TraceSummary {
  let start = match.startNs
  let end = match.startNs
  let root: Row | null = null
  for (const row of rows) {
    if (BigInt(row.startNs) < start) start = BigInt(row.startNs)
    if (BigInt(row.endNs) > end) end = BigInt(row.endNs)
    if (row.rootCount === 0) continue
    if (root === null || BigInt(row.rootStartNs) < BigInt(root.rootStartNs)) root = row
  }
  return {
    traceId: match.traceId,
    rootService: root?.service ?? null,
    rootName: root?.rootName ?? null,
    startTimeUnixNano: start,
    durationNanos: end - start,
    spanCount: rows.reduce((sum, row) => sum + row.spanCount, 0),
    errorCount: rows.reduce((sum, row) => sum + row.errorCount, 0),
    services: rows.map(({ service, spanCount, errorCount }) => ({ service, spanCount, errorCount })),
    matched: {
      spanId: match.spanId,
      service: match.service,
      name: match.name,
      startTimeUnixNano: match.startNs,
      durationNanos: match.durationNs,
      isError: match.isError,
    },
  }
}
