import { decodeAttribute, decodeAttributes } from '../../model/any-value.ts'
import type { QueryDeps } from '../query-deps.ts'
import { allOf, type BoundSql, timeRange } from '../traces/bound-sql.ts'
import { locateAttributes } from '../traces/locate-attributes.ts'
import { type Origin, readOrigins, UNKNOWN_ORIGIN } from '../traces/read-origins.ts'
import { searchFingerprint } from '../traces/search-cursor.ts'
import { type LogFilter, logConditions } from './log-conditions.ts'
import { decodeLogCursor, encodeLogCursor } from './log-cursor.ts'
import type { LogRecord } from './log-record.ts'

/** One page of a search. */
export interface SearchLogsRequest {
  readonly tenant: string
  readonly filter: LogFilter
  /** Times of records (observed times where they have none): epoch milliseconds, inclusive. */
  readonly startMs: number
  /** Epoch milliseconds, exclusive. */
  readonly endMs: number
  /** Records in the page, 1 … `QueryLimits.maxPageSize`; more are not returned. */
  readonly limit: number
  /** What the page before returned. The range is then the first page's, whatever `startMs` and `endMs` say. */
  readonly cursor?: string | null | undefined
  readonly signal?: AbortSignal | undefined
}

/** A page of log records. */
export interface SearchLogsPage {
  readonly logs: readonly LogRecord[]
  /** For the next page; null: this was the last one. */
  readonly cursor: string | null
}

/** Orders records of one time. Records that agree in all of these are copies. */
const HASH =
  'cityHash64(trace_id, span_id, service, event_name, severity_number, body, mapKeys(attrs), mapValues(attrs))'

/**
 * Finds log records, newest first. A page goes on exactly after the last record of the page before, whatever arrived
 * meanwhile. Throws AppError INVALID_ARGUMENT for a cursor that is malformed or belongs to another search, and what
 * `Storage.select` throws.
 */
export async function searchLogs(deps: QueryDeps, request: SearchLogsRequest): Promise<SearchLogsPage> {
  const { tenant, filter, signal } = request
  const limit = Math.max(1, Math.min(request.limit, deps.limits.maxPageSize))
  const fingerprint = searchFingerprint(tenant, filter, 'logs')
  const cursor = request.cursor ? decodeLogCursor(request.cursor, fingerprint) : null
  const { startMs, endMs } = cursor ?? request
  if (!(startMs < endMs)) return { logs: [], cursor: null }
  const places = await locateAttributes(deps, {
    tenant,
    attributes: filter.attributes ?? [],
    level: 'log',
    startMs,
    signal,
  })
  const conditions = [logConditions(filter, places)]
  let endNs = BigInt(Math.floor(endMs * 1000)) * 1000n - 1n
  if (cursor !== null) {
    endNs = cursor.timeNs
    const at = "fromUnixTimestamp64Nano({afterTime:Int64}, 'UTC')"
    conditions.push({
      sql: `(ts < ${at} OR (ts = ${at} AND ${HASH} < {afterHash:UInt64}))`,
      params: { afterTime: cursor.timeNs, afterHash: cursor.hash },
    })
  }
  const where = allOf(conditions)
  const startNs = BigInt(Math.floor(startMs * 1000)) * 1000n
  const oldest = await findOldestTime(deps, request, allOf([timeRange(startNs, endNs), where]), limit + 1)
  if (oldest === null) return { logs: [], cursor: null }
  const rows = await readRows(deps, request, allOf([timeRange(oldest, endNs), where]), limit + 1)
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  const ids = [...new Set(kept.map((row) => row.originId))]
  const origins = await readOrigins(deps, { tenant, ids, signal })
  return {
    logs: kept.map((row) => decode(row, origins.get(row.originId) ?? UNKNOWN_ORIGIN)),
    cursor:
      rows.length > limit && last !== undefined
        ? encodeLogCursor({
            fingerprint,
            startMs,
            endMs,
            timeNs: BigInt(last.stamp),
            hash: BigInt(last.hash),
          })
        : null,
  }
}

/** The time of the last record of a page, from narrow columns: so bodies and attributes are read for one page only. */
async function findOldestTime(
  deps: QueryDeps,
  request: SearchLogsRequest,
  where: BoundSql,
  count: number,
): Promise<bigint | null> {
  const rows = await deps.storage.select<{ oldest: string; found: string }>({
    name: 'logs.search-times',
    tenant: request.tenant,
    sql: `SELECT toString(min(nanos)) AS oldest, toString(count()) AS found
FROM (
  SELECT toUnixTimestamp64Nano(ts) AS nanos
  FROM logs
  WHERE tenant = {tenant:String}
    AND ${where.sql}
  ORDER BY toStartOfFiveMinutes(ts) DESC, ts DESC
  LIMIT {limit:UInt32}
)`,
    params: { ...where.params, limit: count },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  const row = rows[0]
  return row === undefined || row.found === '0' ? null : BigInt(row.oldest)
}

interface Row {
  readonly stamp: string
  readonly hash: string
  readonly timeNs: string
  readonly observedNs: string
  readonly traceId: string
  readonly spanId: string
  readonly flagBits: number
  readonly severityNumber: number
  readonly severityText: string
  readonly originId: string
  readonly service: string
  readonly eventName: string
  readonly bodyText: string
  readonly bodyKind: string
  readonly attributes: readonly [string, string][]
  readonly attributeKinds: string
  readonly droppedAttributes: number
}

function readRows(
  deps: QueryDeps,
  request: SearchLogsRequest,
  where: BoundSql,
  count: number,
): Promise<Row[]> {
  return deps.storage.select<Row>({
    name: 'logs.search',
    tenant: request.tenant,
    sql: `SELECT
  toString(toUnixTimestamp64Nano(ts)) AS stamp,
  toString(${HASH}) AS hash,
  toString(time_unix_nano) AS timeNs,
  toString(observed_time_unix_nano) AS observedNs,
  lower(hex(trace_id)) AS traceId,
  lower(hex(span_id)) AS spanId,
  flags AS flagBits,
  severity_number AS severityNumber,
  severity_text AS severityText,
  lower(hex(origin)) AS originId,
  service,
  event_name AS eventName,
  body AS bodyText,
  body_kind AS bodyKind,
  CAST(attrs, 'Array(Tuple(String, String))') AS attributes,
  attr_kinds AS attributeKinds,
  dropped_attributes AS droppedAttributes
FROM logs
WHERE tenant = {tenant:String}
  AND ${where.sql}
ORDER BY ts DESC, ${HASH} DESC
LIMIT {limit:UInt32}`,
    params: { ...where.params, limit: count },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
}

function decode(row: Row, origin: Origin): LogRecord {
  return {
    timeUnixNano: BigInt(row.timeNs),
    observedTimeUnixNano: BigInt(row.observedNs),
    traceId: /^0+$/.test(row.traceId) ? null : row.traceId,
    spanId: /^0+$/.test(row.spanId) ? null : row.spanId,
    flags: row.flagBits,
    severityNumber: row.severityNumber,
    severityText: row.severityText,
    service: row.service,
    eventName: row.eventName,
    body: row.bodyKind === '' ? null : decodeAttribute(row.bodyKind, row.bodyText),
    attributes: decodeAttributes(row.attributes, row.attributeKinds),
    droppedAttributesCount: row.droppedAttributes,
    resource: origin.resource,
    scope: origin.scope,
  }
}
