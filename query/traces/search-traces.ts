import type { QueryDeps } from '../query-deps.ts'
import { locateAttributes } from './locate-attributes.ts'
import {
  findTracesUpTo,
  type MatchingSpan,
  type MatchingSpansRequest,
  readMatchingSpans,
} from './matching-spans.ts'
import {
  decodeCursor,
  encodeCursor,
  MAX_LISTED,
  type SearchCursor,
  searchFingerprint,
} from './search-cursor.ts'
import { spanConditions } from './span-conditions.ts'
import { summarizeTraces } from './summarize-traces.ts'
import type { TraceSummary } from './trace.ts'
import type { TraceFilter } from './trace-filter.ts'

/** One page of a search. */
export interface SearchTracesRequest {
  readonly tenant: string
  readonly filter: TraceFilter
  /** Start times of matching spans: epoch milliseconds, inclusive. */
  readonly startMs: number
  /** Epoch milliseconds, exclusive. */
  readonly endMs: number
  /** Traces in the page, 1 … `QueryLimits.maxPageSize`; more are not returned. */
  readonly limit: number
  /** `time`: newest matching span first. `duration`: slowest matching span first. */
  readonly order: 'time' | 'duration'
  /** What the page before returned. The range is then the first page's, whatever `startMs` and `endMs` say. */
  readonly cursor?: string | null | undefined
  readonly signal?: AbortSignal | undefined
}

/** A page of traces, one line per trace. */
export interface SearchTracesPage {
  readonly traces: readonly TraceSummary[]
  /** For the next page; null: this was the last one. */
  readonly cursor: string | null
  /** True when the page is shorter than asked although more may follow: go on with the cursor. */
  readonly isPartial: boolean
}

/** Reads of one page; a page that is not full then is returned as it is. */
const MAX_ROUNDS = 8

/**
 * Finds traces that have a span which matches the filter. A trace is one line, at its newest (or slowest) matching span;
 * pages neither repeat nor leave out traces (see `SearchCursor` for the one exception).
 * Throws AppError INVALID_ARGUMENT for a cursor that is malformed or belongs to another search, and what
 * `Storage.select` throws.
 */
export async function searchTraces(deps: QueryDeps, request: SearchTracesRequest): Promise<SearchTracesPage> {
  const { tenant, filter, order, signal } = request
  const limit = Math.max(1, Math.min(request.limit, deps.limits.maxPageSize))
  const fingerprint = searchFingerprint(tenant, filter, order)
  const cursor = request.cursor ? decodeCursor(request.cursor, fingerprint) : null
  const { startMs, endMs } = cursor ?? request
  if (!(startMs < endMs)) return { traces: [], cursor: null, isPartial: false }
  const places = await locateAttributes(deps, {
    tenant,
    attributes: filter.attributes ?? [],
    level: 'span',
    startMs,
    signal,
  })
  const spans: MatchingSpansRequest = {
    tenant,
    order,
    startNs: BigInt(Math.floor(startMs * 1000)) * 1000n,
    endNs: BigInt(Math.floor(endMs * 1000)) * 1000n - 1n,
    filter: spanConditions(filter, places),
    signal,
  }
  const found = await findLines(deps, spans, cursor, limit)
  return {
    traces: await summarizeTraces(deps, request, found.lines),
    cursor:
      found.next === null
        ? null
        : nextCursor({ fingerprint, startMs, endMs }, cursor, found.lines, found.next),
    isPartial: found.next !== null && found.lines.length < limit,
  }
}

/** The first matching span of each trace, and the key where the next page begins (null: nothing follows). */
async function findLines(
  deps: QueryDeps,
  spans: MatchingSpansRequest,
  cursor: SearchCursor | null,
  limit: number,
): Promise<{ lines: MatchingSpan[]; next: MatchingSpan | null }> {
  const lines = new Map<string, MatchingSpan>()
  const decided = new Set<string>()
  // A trace often has several matching spans, all of them close together.
  const batch = Math.min(4 * limit + 16, 5_000)
  const starts = windowStarts(spans, cursor)
  let { endNs } = spans
  let position: MatchingSpan | null = null
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const startNs = starts[0] ?? spans.startNs
    const rows = await readMatchingSpans(
      deps,
      { ...spans, startNs, endNs },
      {
        after: position ?? cursor?.position ?? null,
        without: [...decided],
        withoutTails: cursor?.shown ?? [],
        limit: batch,
      },
    )
    const fresh = [...new Set(rows.map(({ traceId }) => traceId))].filter((traceId) => !decided.has(traceId))
    const shown =
      cursor?.horizon && fresh.length > 0 ? await findTracesUpTo(deps, spans, fresh, cursor.horizon) : null
    for (const row of rows) {
      if (decided.has(row.traceId)) continue
      if (lines.size === limit && !shown?.has(row.traceId)) {
        // One line too many: the page is full, and something follows.
        return { lines: [...lines.values()], next: [...lines.values()].at(-1) ?? null }
      }
      decided.add(row.traceId)
      if (!shown?.has(row.traceId)) lines.set(row.traceId, row)
    }
    position = rows.at(-1) ?? position
    if (rows.length === batch) continue
    if (starts.length <= 1) return { lines: [...lines.values()], next: null }
    starts.shift()
    endNs = startNs - 1n
  }
  return { lines: [...lines.values()], next: position }
}

/**
 * Where the windows begin in which a search by time looks, one after the other, each eight times as long as the one
 * before: the newest traces are found without looking at the whole range.
 */
function windowStarts(spans: MatchingSpansRequest, cursor: SearchCursor | null): bigint[] {
  if (spans.order === 'duration') return [spans.startNs]
  const endNs = cursor?.position.startNs ?? spans.endNs
  const length = endNs - spans.startNs
  const shorter = [length / 64n, length / 8n].filter((window) => window > SHORTEST_WINDOW_NS)
  return [...shorter.map((window) => endNs - window), spans.startNs]
}

const SHORTEST_WINDOW_NS = 300_000_000_000n

function nextCursor(
  search: Pick<SearchCursor, 'fingerprint' | 'startMs' | 'endMs'>,
  previous: SearchCursor | null,
  lines: readonly MatchingSpan[],
  position: MatchingSpan,
): string {
  const shown = [...(previous?.shown ?? []), ...lines.map(({ traceId }) => traceId.slice(16))]
  const isFull = shown.length > MAX_LISTED
  return encodeCursor({
    ...search,
    position,
    horizon: isFull ? position : (previous?.horizon ?? null),
    shown: isFull ? [] : shown,
  })
}
