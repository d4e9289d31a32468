import { AppError } from '../../../runtime/errors.ts'
import { firstValue, type QueryString } from '../query-values.ts'
import { readGoDuration, readRfc3339, readWhole } from '../read-parameter.ts'
import { filterByTags, parseTagsJson } from './filter-by-tags.ts'
import { checkBounds, DEFAULT_SEARCH_LIMIT, type TraceSearch } from './trace-search.ts'

/** Parameters that would change the answer and that this server does not know how to honour. */
const NOT_SUPPORTED = ['query.filter', 'query.pagination.pageSize', 'query.pagination.pageToken']

/**
 * Reads the parameters of Jaeger's `GET /api/v3/traces` and `/api/v3/trace-summaries`, under their present (camelCase) and
 * older (snake_case) names. The time range is required, as in Jaeger. Throws AppError INVALID_ARGUMENT.
 */
export function parseV3Search(query: QueryString): TraceSearch {
  const unknown = NOT_SUPPORTED.find((name) => firstValue(query, name) !== null)
  if (unknown !== undefined) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `Cannot search traces: the parameter '${unknown}' is not supported`,
    )
  }
  const startMs = readRfc3339(query, 'down', 'query.startTimeMin', 'query.start_time_min')
  const endMs = readRfc3339(query, 'up', 'query.startTimeMax', 'query.start_time_max')
  if (startMs === null || endMs === null) {
    const name = startMs === null ? 'query.startTimeMin' : 'query.startTimeMax'
    throw new AppError('INVALID_ARGUMENT', `Cannot search traces: the parameter '${name}' is required`)
  }
  const tags = firstValue(query, 'query.attributes')
  const operation = firstValue(
    query,
    'query.operationName',
    'query.operation_name',
    'query.spanName',
    'query.span_name',
  )
  const filter = {
    ...filterByTags(tags === null ? {} : parseTagsJson(tags, 'query.attributes'), 'query.attributes'),
    service: firstValue(query, 'query.serviceName', 'query.service_name') ?? undefined,
    operation: operation ?? undefined,
    minDurationNs: readGoDuration(query, 'query.durationMin', 'query.duration_min') ?? undefined,
    maxDurationNs: readGoDuration(query, 'query.durationMax', 'query.duration_max') ?? undefined,
  }
  const limit = readWhole(query, 1, 'query.searchDepth', 'query.search_depth', 'query.num_traces')
  return checkBounds(
    { filter, startMs, endMs, limit: limit ?? DEFAULT_SEARCH_LIMIT },
    { start: 'query.startTimeMin', end: 'query.startTimeMax' },
  )
}
