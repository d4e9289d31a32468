import type { FastifyError } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { AppError, type ErrorCode } from './errors.ts'

/** The body of an error of the native REST API: code, message and what the error carries (`position`, `path` …). */
export interface HttpErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly [detail: string]: unknown }
}

/** The native form of an error. */
export function httpErrorBody(error: AppError): HttpErrorBody {
  return { error: { ...error.details, code: error.code, message: error.message } }
}

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'MESSAGE_TOO_LARGE',
  414: 'INVALID_ARGUMENT',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'TOO_MANY_REQUESTS',
  503: 'SHUTTING_DOWN',
}

/**
 * Whatever a request's handling threw, as an AppError. Every façade maps errors through this and then writes its own form.
 * A failed validation becomes INVALID_ARGUMENT with `path`; what nobody expected becomes INTERNAL, whose message says nothing of the cause.
 */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  if (hasZodFastifySchemaValidationErrors(thrown)) return invalidArgument(thrown)
  const error = thrown as Partial<FastifyError> | null | undefined
  const status = error?.statusCode ?? 500
  const code = status >= 500 && status !== 503 ? undefined : CODE_BY_STATUS[status]
  if (code === undefined || typeof error?.message !== 'string') {
    return new AppError('INTERNAL', 'Cannot answer: an unexpected error occurred; the log has its details', {
      cause: thrown,
    })
  }
  return new AppError(code, `Cannot answer: ${lowerFirst(error.message)}`, { cause: thrown })
}

function invalidArgument(error: {
  readonly validation: readonly { readonly instancePath: string; readonly message?: string }[]
  readonly validationContext?: string | undefined
}): AppError {
  const problems = error.validation.map((problem) => ({
    path: problem.instancePath.slice(1).replaceAll('/', '.'),
    message: problem.message ?? 'not valid',
  }))
  const where = PLACES[error.validationContext ?? ''] ?? 'the request'
  const said = problems
    .map((problem) => (problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`))
    .join('; ')
  return new AppError('INVALID_ARGUMENT', `Cannot read ${where}: ${said}`, {
    cause: error,
    details: { path: problems[0]?.path ?? '', problems },
  })
}

const PLACES: Readonly<Record<string, string>> = {
  querystring: 'the query parameters',
  params: 'the path',
  body: 'the body',
  headers: 'the headers',
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
