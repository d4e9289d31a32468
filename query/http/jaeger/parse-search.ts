import { parseDuration } from '../../../model/duration.ts'
import { AppError } from '../../../runtime/errors.ts'
import { parseTraceId } from '../parse-trace-id.ts'
import { allValues, firstValue, type QueryString } from '../query-values.ts'
import { readEpoch, readGoDuration, readWhole } from '../read-parameter.ts'
import { filterByTags, parseTagsJson } from './filter-by-tags.ts'
import { checkBounds, DEFAULT_SEARCH_LIMIT, type TraceSearch } from './trace-search.ts'

/** Jaeger's own: a search that gives no start looks back so far. */
const DEFAULT_LOOKBACK_MS = 2 * 86_400_000

/**
 * Reads the parameters of Jaeger's older `GET /api/traces`: `service` (required), `operation`, `tags` (JSON) and `tag`
 * (`key:value`), `start` and `end` (microseconds), `lookback` (`1h`, where there is no start), `minDuration`,
 * `maxDuration`, `limit`. Others are ignored, as Jaeger does. Throws AppError INVALID_ARGUMENT.
 */
export function parseSearch(query: QueryString, nowMs: number): TraceSearch {
  const service = firstValue(query, 'service')
  if (service === null) {
    throw new AppError('INVALID_ARGUMENT', "Cannot search traces: parameter 'service' is required")
  }
  // Jaeger's end is inclusive.
  const endMs = Math.floor(readEpoch(query, 'microseconds', 'end') ?? nowMs) + 1
  const startMs = Math.floor(readEpoch(query, 'microseconds', 'start') ?? endMs - lookbackOf(query))
  const filter = {
    ...filterByTags(tagsOf(query), 'tags'),
    service,
    operation: firstValue(query, 'operation') ?? undefined,
    minDurationNs: readGoDuration(query, 'minDuration') ?? undefined,
    maxDurationNs: readGoDuration(query, 'maxDuration') ?? undefined,
  }
  const limit = readWhole(query, 1, 'limit') ?? DEFAULT_SEARCH_LIMIT
  return checkBounds({ filter, startMs, endMs, limit }, { start: 'start', end: 'end' })
}

/** Reads the ids of `traceID=…&traceID=…`; empty when there are none. Throws AppError INVALID_ARGUMENT. */
export function parseTraceIds(query: QueryString): string[] {
  return allValues(query, 'traceID').map((text) => {
    const id = parseTraceId(text)
    if (id !== null) return id
    throw new AppError(
      'INVALID_ARGUMENT',
      `Cannot read the parameter 'traceID': expected up to 32 hex digits, found '${text.slice(0, 100)}'`,
    )
  })
}

function lookbackOf(query: QueryString): number {
  const text = firstValue(query, 'lookback')
  // The user interface sends "custom" when it sends both ends of the range.
  if (text === null || text === 'custom') return DEFAULT_LOOKBACK_MS
  const ms = parseDuration(text)
  if (ms !== null) return ms
  throw new AppError(
    'INVALID_ARGUMENT',
    `Cannot read the parameter 'lookback': expected a duration like 1h or 2d, found '${text.slice(0, 100)}'`,
  )
}

function tagsOf(query: QueryString): Record<string, string> {
  const single = allValues(query, 'tag').map((text) => {
    const colon = text.indexOf(':')
    if (colon > 0) return { [text.slice(0, colon)]: text.slice(colon + 1) }
    throw new AppError(
      'INVALID_ARGUMENT',
      `Cannot read the parameter 'tag': expected key:value, found '${text.slice(0, 100)}'`,
    )
  })
  const objects = allValues(query, 'tags').map((text) => parseTagsJson(text, 'tags'))
  return Object.assign({}, ...single, ...objects) as Record<string, string>
}
