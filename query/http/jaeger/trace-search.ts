import { AppError } from '../../../runtime/errors.ts'
import type { TraceFilter } from '../../traces/trace-filter.ts'

/** A search as both of Jaeger's APIs ask for it, newest traces first. */
export interface TraceSearch {
  readonly filter: TraceFilter
  /** Epoch milliseconds, inclusive. */
  readonly startMs: number
  /** Epoch milliseconds, exclusive. */
  readonly endMs: number
  /** Most traces to return. */
  readonly limit: number
}

/** What a search returns when it does not say how many traces it wants. */
export const DEFAULT_SEARCH_LIMIT = 100

/** Returns the search. Throws AppError INVALID_ARGUMENT when nothing can match because two bounds are the wrong way round. */
export function checkBounds(
  search: TraceSearch,
  names: { readonly start: string; readonly end: string },
): TraceSearch {
  if (search.startMs > search.endMs) {
    throw new AppError('INVALID_ARGUMENT', `Cannot search traces: '${names.start}' is after '${names.end}'`)
  }
  const { minDurationNs, maxDurationNs } = search.filter
  if (minDurationNs !== undefined && maxDurationNs !== undefined && minDurationNs > maxDurationNs) {
    throw new AppError('INVALID_ARGUMENT', 'Cannot search traces: the least duration is longer than the most')
  }
  return search
}
