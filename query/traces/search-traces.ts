import { AppError } from '../../runtime/errors.ts'
import type { QueryDeps } from '../query-deps.ts'
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
  /** Traces in the page, 1 … `QueryLimits.maxPageSize`. */
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

/**
 * Finds traces that have a span which matches the filter.
 * Throws AppError INVALID_ARGUMENT for a cursor that is malformed or belongs to another search, and what
 * `Storage.select` throws.
 */
export function searchTraces(_deps: QueryDeps, _request: SearchTracesRequest): Promise<SearchTracesPage> {
  throw new AppError('INTERNAL', 'Cannot search traces: not written yet')
}
