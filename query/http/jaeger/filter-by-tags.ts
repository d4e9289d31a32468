import { SPAN_KINDS } from '../../../model/span.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { TraceFilter } from '../../traces/trace-filter.ts'

/**
 * Reads Jaeger's tags (key and the text of the value) as a filter. Tags that stand for a field of a span in Jaeger's model
 * ask for that field: `error`, `span.kind`, `otel.status_code`. All others are attributes of the span or its resource.
 * `parameter` is what a message names. Throws AppError INVALID_ARGUMENT.
 */
export function filterByTags(tags: Readonly<Record<string, string>>, parameter: string): TraceFilter {
  let filter: TraceFilter = {}
  const attributes: { key: string; value: string }[] = []
  for (const [key, value] of Object.entries(tags)) {
    if (key === 'error' && (value === 'true' || value === 'false')) {
      filter = { ...filter, isError: value === 'true' }
    } else if (key === 'span.kind') {
      const kind = SPAN_KINDS.find((name) => name === value.toLowerCase())
      if (kind === undefined) throw refused(parameter, key, value, `one of ${SPAN_KINDS.join(', ')}`)
      filter = { ...filter, kind }
    } else if (key === 'otel.status_code') {
      const status = (['ok', 'error', 'unset'] as const).find((name) => name === value.toLowerCase())
      if (status === undefined) throw refused(parameter, key, value, 'OK, ERROR or UNSET')
      filter = { ...filter, status }
    } else attributes.push({ key, value })
  }
  return { ...filter, attributes }
}

/** Reads a JSON object of texts, as Jaeger's `tags` and `query.attributes` are. Throws AppError INVALID_ARGUMENT. */
export function parseTagsJson(text: string, parameter: string): Record<string, string> {
  const parsed = parseJson(text)
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  if (isObject && Object.values(parsed).every((value) => typeof value === 'string')) {
    return parsed as Record<string, string>
  }
  throw new AppError(
    'INVALID_ARGUMENT',
    `Cannot read the parameter '${parameter}': expected a JSON object of strings like {"http.method":"GET"}`,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refused(parameter: string, key: string, value: string, expected: string): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    `Cannot read the parameter '${parameter}': ${key} is '${value}', expected ${expected}`,
  )
}
