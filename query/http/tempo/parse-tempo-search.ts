import { SPAN_KINDS, STATUS_CODES } from '../../../model/span.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { AttributeEquals, TraceFilter } from '../../traces/trace-filter.ts'
import { firstValue, type QueryString } from '../query-values.ts'
import { readEpoch, readGoDuration, readWhole } from '../read-parameter.ts'
import { parseLogfmt } from './parse-logfmt.ts'
import { parseTraceql } from './parse-traceql.ts'

/** A search as Tempo's API asks for it. */
export interface TempoSearch {
  readonly filter: TraceFilter
  /** Epoch milliseconds, inclusive. */
  readonly startMs: number
  /** Epoch milliseconds, exclusive. */
  readonly endMs: number
  readonly limit: number
}

const DEFAULT_LIMIT = 20
const DEFAULT_LOOKBACK_MS = 3_600_000

/**
 * Reads the parameters of Tempo's `GET /api/search`: `q` (TraceQL) or `tags` (logfmt), `minDuration`, `maxDuration`;
 * `start`, `end` (seconds; the last hour when absent), `limit`. Throws AppError INVALID_ARGUMENT or
 * QUERY_PARSE_FAILED.
 */
export function parseTempoSearch(query: QueryString, nowMs: number): TempoSearch {
  const q = firstValue(query, 'q')
  const tags = firstValue(query, 'tags')
  if (q !== null && tags !== null) {
    throw new AppError('INVALID_ARGUMENT', "Cannot search traces: 'q' and 'tags' cannot be given together")
  }
  const { startMs, endMs } = parseTempoRange(query, nowMs, DEFAULT_LOOKBACK_MS)
  const minDurationNs = readGoDuration(query, 'minDuration')
  const maxDurationNs = readGoDuration(query, 'maxDuration')
  if (minDurationNs !== null && maxDurationNs !== null && minDurationNs > maxDurationNs) {
    throw new AppError('INVALID_ARGUMENT', 'invalid maxDuration: must be greater than minDuration')
  }
  return {
    filter: {
      ...(q === null ? filterByTags(parseLogfmt(tags ?? '')) : parseTraceql(q)),
      ...(minDurationNs === null ? {} : { minDurationNs }),
      ...(maxDurationNs === null ? {} : { maxDurationNs }),
    },
    startMs,
    endMs,
    limit: readWhole(query, 1, 'limit') ?? DEFAULT_LIMIT,
  }
}

/** Reads `start` and `end`, seconds since the epoch; the end is exclusive. Throws AppError INVALID_ARGUMENT. */
export function parseTempoRange(
  query: QueryString,
  nowMs: number,
  lookbackMs: number,
): { readonly startMs: number; readonly endMs: number } {
  const endMs = readEpoch(query, 'seconds', 'end') ?? nowMs + 1
  const startMs = readEpoch(query, 'seconds', 'start') ?? endMs - lookbackMs
  if (startMs > endMs) {
    throw new AppError('INVALID_ARGUMENT', 'Cannot search: http parameter start must be before end')
  }
  return { startMs, endMs }
}

function filterByTags(tags: readonly AttributeEquals[]): TraceFilter {
  let filter: TraceFilter = {}
  const attributes: AttributeEquals[] = []
  for (const tag of tags) {
    const { key, value } = tag
    const status = STATUS_CODES.find((code) => code === value)
    const kind = SPAN_KINDS.find((candidate) => candidate === value)
    if (key === 'service.name') filter = { ...filter, service: value }
    else if (key === 'name') filter = { ...filter, operation: value }
    else if (key === 'status' && status !== undefined) filter = { ...filter, status }
    else if (key === 'kind' && kind !== undefined) filter = { ...filter, kind }
    else if (key === 'error' && value === 'true') filter = { ...filter, isError: true }
    else attributes.push(tag)
  }
  return attributes.length === 0 ? filter : { ...filter, attributes }
}
