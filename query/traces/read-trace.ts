import { AppError } from '../../runtime/errors.ts'
import type { QueryDeps } from '../query-deps.ts'
import type { Trace } from './trace.ts'

/** Which trace, for whom. */
export interface ReadTraceRequest {
  readonly tenant: string
  /** 32 hex digits. */
  readonly traceId: string
  /** Where the caller knows the trace lies; epoch milliseconds, inclusive. Other spans of it are left out. */
  readonly around?: { readonly startMs: number; readonly endMs: number } | undefined
  /** Default: the limit of the deps. */
  readonly maxSpans?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads all stored spans of a trace, by start time. Null when none is stored.
 * Throws AppError INVALID_ARGUMENT for an id that is not 32 hex digits, and what `Storage.select` throws.
 */
export function readTrace(_deps: QueryDeps, _request: ReadTraceRequest): Promise<Trace | null> {
  throw new AppError('INTERNAL', 'Cannot read the trace: not written yet')
}
