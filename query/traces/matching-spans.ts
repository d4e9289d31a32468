import type { Parameter } from '../../storage/storage.ts'
import type { QueryDeps } from '../query-deps.ts'
import { allOf, type BoundSql, timeRange, traceIdSet } from './bound-sql.ts'
import type { SpanKey } from './search-cursor.ts'

/** A span that matches a search, with what a result line shows of it. */
export interface MatchingSpan extends SpanKey {
  readonly service: string
  readonly name: string
  readonly isError: boolean
}

/** Which spans, in which order. */
export interface MatchingSpansRequest {
  readonly tenant: string
  readonly order: 'time' | 'duration'
  /** Epoch nanoseconds, inclusive. */
  readonly startNs: bigint
  readonly endNs: bigint
  /** The filter, from `spanConditions`. */
  readonly filter: BoundSql
  readonly signal?: AbortSignal | undefined
}

const ORDER = {
  // The prefix of the sorting key lets ClickHouse read newest buckets first and stop early.
  time: 'toStartOfFiveMinutes(ts) DESC, ts DESC, trace_id DESC, span_id DESC',
  duration: 'duration_ns DESC, ts DESC, trace_id DESC, span_id DESC',
} as const

/**
 * Reads the next matching spans after a key, without the spans of traces that are left out.
 * `without`: whole trace ids; `withoutTails`: the last 16 hex digits of trace ids.
 */
export async function readMatchingSpans(
  deps: QueryDeps,
  request: MatchingSpansRequest,
  page: {
    readonly after: SpanKey | null
    readonly without: readonly string[]
    readonly withoutTails: readonly string[]
    readonly limit: number
  },
): Promise<MatchingSpan[]> {
  const { order, startNs } = request
  let { endNs } = request
  // By time, nothing later than the position is read at all.
  if (order === 'time' && page.after !== null && page.after.startNs < endNs) endNs = page.after.startNs
  const conditions = [timeRange(startNs, endNs), request.filter]
  if (page.after !== null) conditions.push(beyond(order, '<', 'after', page.after))
  if (page.without.length > 0) {
    conditions.push({ sql: `trace_id NOT IN ${traceIdSet('without')}`, params: { without: page.without } })
  }
  if (page.withoutTails.length > 0) {
    conditions.push({
      sql: 'substring(trace_id, 9, 8) NOT IN (SELECT unhex(arrayJoin({tails:Array(String)})))',
      params: { tails: page.withoutTails },
    })
  }
  const where = allOf(conditions)
  const rows = await deps.storage.select<Row>({
    name: 'traces.search',
    tenant: request.tenant,
    sql: `SELECT
  lower(hex(trace_id)) AS traceId,
  lower(hex(span_id)) AS spanId,
  toString(toUnixTimestamp64Nano(ts)) AS startNs,
  toString(duration_ns) AS durationNs,
  service,
  name AS spanName,
  is_error AS isError
FROM spans
WHERE tenant = {tenant:String}
  AND ${where.sql}
ORDER BY ${ORDER[order]}
LIMIT {limit:UInt32}`,
    params: { ...where.params, limit: page.limit },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  return rows.map((row) => ({
    traceId: row.traceId,
    spanId: row.spanId,
    startNs: BigInt(row.startNs),
    durationNs: BigInt(row.durationNs),
    service: row.service,
    name: row.spanName,
    isError: Boolean(row.isError),
  }))
}

/** Tells which of some traces have a matching span at or before a key in the search's order. */
export async function findTracesUpTo(
  deps: QueryDeps,
  request: MatchingSpansRequest,
  traceIds: readonly string[],
  key: SpanKey,
): Promise<Set<string>> {
  const where = allOf([
    timeRange(request.startNs, request.endNs),
    { sql: `trace_id IN ${traceIdSet('traceIds')}`, params: { traceIds } },
    request.filter,
    beyond(request.order, '>=', 'horizon', key),
  ])
  const rows = await deps.storage.select<{ traceId: string }>({
    name: 'traces.search-shown',
    tenant: request.tenant,
    sql: `SELECT lower(hex(trace_id)) AS traceId
FROM spans
WHERE tenant = {tenant:String}
  AND ${where.sql}
GROUP BY trace_id`,
    params: where.params,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  return new Set(rows.map(({ traceId }) => traceId))
}

interface Row {
  readonly traceId: string
  readonly spanId: string
  readonly startNs: string
  readonly durationNs: string
  readonly service: string
  readonly spanName: string
  readonly isError: boolean | number
}

function beyond(order: 'time' | 'duration', operator: '<' | '>=', name: string, key: SpanKey): BoundSql {
  const ts = `fromUnixTimestamp64Nano({${name}Start:Int64}, 'UTC')`
  const ids = `toFixedString(unhex({${name}Trace:String}), 16), toFixedString(unhex({${name}Span:String}), 8)`
  const params: Record<string, Parameter> = {
    [`${name}Start`]: key.startNs,
    [`${name}Trace`]: key.traceId,
    [`${name}Span`]: key.spanId,
  }
  if (order === 'time') {
    return { sql: `(ts, trace_id, span_id) ${operator} (${ts}, ${ids})`, params }
  }
  return {
    sql: `(duration_ns, ts, trace_id, span_id) ${operator} ({${name}Duration:Int64}, ${ts}, ${ids})`,
    params: { ...params, [`${name}Duration`]: key.durationNs },
  }
}
