import type { AppError, ErrorCode } from '../../../runtime/errors.ts'

/** An error in the form of Prometheus' API. */
export interface PrometheusError {
  readonly httpStatus: number
  readonly body: { readonly status: 'error'; readonly errorType: string; readonly error: string }
}

/** The kinds of errors that Prometheus has, with their statuses; what it has not, keeps our status. */
const KINDS: Partial<Record<ErrorCode, readonly [number, string]>> = {
  INVALID_ARGUMENT: [400, 'bad_data'],
  QUERY_PARSE_FAILED: [400, 'bad_data'],
  QUERY_EXECUTION_FAILED: [422, 'execution'],
  QUERY_NOT_SUPPORTED: [422, 'execution'],
  RESULT_TOO_LARGE: [422, 'execution'],
  QUERY_TIMEOUT: [503, 'timeout'],
  CANCELLED: [499, 'canceled'],
  NOT_FOUND: [404, 'not_found'],
  INTERNAL: [500, 'internal'],
  STORAGE_UNAVAILABLE: [503, 'unavailable'],
  SHUTTING_DOWN: [503, 'unavailable'],
  OVERLOADED: [503, 'unavailable'],
  TOO_MANY_REQUESTS: [429, 'unavailable'],
}

/** Maps an error to what Prometheus would answer. */
export function toPrometheusError(error: AppError): PrometheusError {
  const [httpStatus, errorType] = KINDS[error.code] ?? [error.httpStatus, 'bad_data']
  const isQuery = error.code === 'QUERY_PARSE_FAILED'
  const text = isQuery ? `invalid parameter "query": ${error.message}` : error.message
  return { httpStatus, body: { status: 'error', errorType, error: text } }
}
