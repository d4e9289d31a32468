import { AppError } from '../../runtime/errors.ts'
import type { QueryDeps } from '../query-deps.ts'
import { type BoundSql, timeRange } from './bound-sql.ts'
import { decodeSpan, SPAN_COLUMNS, type SpanRow } from './decode-span.ts'
import { readOrigins, UNKNOWN_ORIGIN } from './read-origins.ts'
import { readTraceBounds } from './read-trace-bounds.ts'
import type { Trace } from './trace.ts'

/** Which trace, for whom. */
export interface ReadTraceRequest {
  readonly tenant: string
  /** 32 hex digits. */
  readonly traceId: string
  /** Where the caller knows the trace lies; epoch milliseconds, inclusive. Spans that start elsewhere are left out. */
  readonly around?: { readonly startMs: number; readonly endMs: number } | undefined
  /** Default: the limit of the deps. */
  readonly maxSpans?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads the stored spans of a trace, by start time; a span that was sent (and stored) twice appears once.
 * Null when none is stored. Throws AppError INVALID_ARGUMENT for an id that is not 32 hex digits, and what
 * `Storage.select` throws.
 */
export async function readTrace(deps: QueryDeps, request: ReadTraceRequest): Promise<Trace | null> {
  const { tenant, around, signal } = request
  const traceId = request.traceId.toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(traceId)) {
    throw new AppError('INVALID_ARGUMENT', 'Cannot read the trace: its id is not 32 hex digits')
  }
  const maxSpans = Math.max(1, Math.min(request.maxSpans ?? deps.limits.maxSpans, deps.limits.maxSpans))
  const bounds = await readTraceBounds(deps, { tenant, traceIds: [traceId], days: around, signal })
  if (bounds === null) return null
  const range = timeRange(
    later(bounds.startNs, around === undefined ? null : millisToNanos(around.startMs)),
    earlier(bounds.endNs, around === undefined ? null : millisToNanos(around.endMs)),
  )
  const { rows, limit } = await readRows(deps, { ...request, traceId }, range, maxSpans)
  if (rows.length === 0) return null
  const kept = withoutCopies(rows.slice(0, limit))
  const ids = [...new Set(kept.map((row) => row.originId))]
  const origins = await readOrigins(deps, { tenant, ids, signal })
  return {
    traceId,
    spans: kept.map((row) => decodeSpan(row, origins.get(row.originId) ?? UNKNOWN_ORIGIN)),
    isTruncated: rows.length > limit,
  }
}

/** Reads one row more than the limit; where the storage finds that too large, a tenth of the limit, and so on. */
async function readRows(
  deps: QueryDeps,
  request: ReadTraceRequest,
  range: BoundSql,
  limit: number,
): Promise<{ readonly rows: SpanRow[]; readonly limit: number }> {
  const { tenant, traceId, signal } = request
  try {
    const rows = await deps.storage.select<SpanRow>({
      name: 'traces.read',
      tenant,
      sql: `SELECT
  ${SPAN_COLUMNS}
FROM spans
WHERE tenant = {tenant:String}
  AND trace_id = toFixedString(unhex({traceId:String}), 16)
  AND ${range.sql}
ORDER BY ts, span_id
LIMIT {limit:UInt32}`,
      params: { ...range.params, traceId, limit: limit + 1 },
      ...(signal === undefined ? {} : { signal }),
    })
    return { rows, limit }
  } catch (error) {
    const isTooLarge = error instanceof AppError && error.code === 'RESULT_TOO_LARGE'
    if (!isTooLarge || limit < 10) throw error
    return readRows(deps, request, range, Math.floor(limit / 10))
  }
}

/**
 * A sender that lost our answer sends the same spans again. Two spans may share an id all the same (the two sides of
 * a call, with some tracers), so only rows that agree in everything are copies.
 */
function withoutCopies(rows: readonly SpanRow[]): SpanRow[] {
  const seen = new Map<string, Set<string>>()
  return rows.filter((row) => {
    const id = `${row.spanId} ${row.startNs}`
    const known = seen.get(id)
    if (known === undefined) {
      seen.set(id, new Set([JSON.stringify(row)]))
      return true
    }
    const size = known.size
    return known.add(JSON.stringify(row)).size > size
  })
}

function millisToNanos(ms: number): bigint {
  return BigInt(Math.floor(ms * 1000)) * 1000n
}

function later(a: bigint, b: bigint | null): bigint {
  return b !== null && b > a ? b : a
}

function earlier(a: bigint, b: bigint | null): bigint {
  return b !== null && b < a ? b : a
}
