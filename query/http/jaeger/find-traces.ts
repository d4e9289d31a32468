import type { QueryDeps } from '../../query-deps.ts'
import { readTrace } from '../../traces/read-trace.ts'
import { searchTraces } from '../../traces/search-traces.ts'
import type { Trace, TraceSummary } from '../../traces/trace.ts'
import type { TraceSearch } from './trace-search.ts'

/** Whole traces that a search found. */
export interface FoundTraces {
  readonly traces: readonly Trace[]
  /** How many more were found, and left out because the answer would have too many spans. */
  readonly leftOut: number
}

/** Reads of traces that run at the same time for one request. */
const CONCURRENCY = 4

/** Short pages that are put together for one answer. */
const MAX_PAGES = 10

/** Searches; the newest matching span first. No more traces than a page may have. Throws what `searchTraces` throws. */
export async function findSummaries(
  deps: QueryDeps,
  tenant: string,
  search: TraceSearch,
  signal: AbortSignal,
): Promise<readonly TraceSummary[]> {
  const { filter, startMs, endMs } = search
  const limit = Math.min(search.limit, deps.limits.maxPageSize)
  const traces: TraceSummary[] = []
  let cursor: string | null = null
  for (let pages = 0; pages < MAX_PAGES && traces.length < limit; pages += 1) {
    const page = await searchTraces(deps, {
      tenant,
      filter,
      startMs,
      endMs,
      limit: limit - traces.length,
      order: 'time',
      cursor,
      signal,
    })
    traces.push(...page.traces)
    // A page may be short although more follow; the older APIs know no cursor, so it is followed here.
    if (!page.isPartial || page.cursor === null) break
    cursor = page.cursor
  }
  return traces
}

/**
 * Searches and reads the traces found, in the order found, as many as have `maxSpans` spans together (one at least).
 * Throws what `searchTraces` and `readTrace` throw.
 */
export async function findTraces(
  deps: QueryDeps,
  tenant: string,
  search: TraceSearch,
  signal: AbortSignal,
): Promise<FoundTraces> {
  const found = await findSummaries(deps, tenant, search, signal)
  const kept = withinSpans(found, deps.limits.maxSpans)
  const traces: Trace[] = []
  for (let first = 0; first < kept.length; first += CONCURRENCY) {
    const batch = kept.slice(first, first + CONCURRENCY)
    const read = await Promise.all(batch.map(({ traceId }) => readTrace(deps, { tenant, traceId, signal })))
    traces.push(...read.filter((trace) => trace !== null))
  }
  return { traces, leftOut: found.length - kept.length }
}

/** The first summaries that have together no more than so many spans; the first one in any case. */
export function withinSpans(summaries: readonly TraceSummary[], maxSpans: number): readonly TraceSummary[] {
  let spans = 0
  const tooMany = summaries.findIndex((summary, index) => {
    spans += summary.spanCount
    return index > 0 && spans > maxSpans
  })
  return tooMany === -1 ? summaries : summaries.slice(0, tooMany)
}
