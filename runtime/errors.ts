/**
 * The registry of error codes: HTTP status, gRPC status (number) and whether trying the same again can succeed.
 * A code is a promise to clients and is never reused for another meaning.
 */
export const ERROR_CODES = {
  INVALID_ARGUMENT: { http: 400, grpc: 3, retryable: false },
  MALFORMED_MESSAGE: { http: 400, grpc: 3, retryable: false },
  QUERY_PARSE_FAILED: { http: 400, grpc: 3, retryable: false },
  /** A query that parses but has no answer: `many-to-many matching not allowed`. */
  QUERY_EXECUTION_FAILED: { http: 422, grpc: 9, retryable: false },
  /** A part of the query language that is not there yet. */
  QUERY_NOT_SUPPORTED: { http: 422, grpc: 12, retryable: false },
  UNAUTHENTICATED: { http: 401, grpc: 16, retryable: false },
  PERMISSION_DENIED: { http: 403, grpc: 7, retryable: false },
  NOT_FOUND: { http: 404, grpc: 5, retryable: false },
  METHOD_NOT_ALLOWED: { http: 405, grpc: 12, retryable: false },
  MESSAGE_TOO_LARGE: { http: 413, grpc: 3, retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { http: 415, grpc: 3, retryable: false },
  RESULT_TOO_LARGE: { http: 422, grpc: 8, retryable: false },
  TOO_MANY_REQUESTS: { http: 429, grpc: 8, retryable: true },
  CANCELLED: { http: 499, grpc: 1, retryable: false },
  INTERNAL: { http: 500, grpc: 13, retryable: false },
  JOURNAL_FULL: { http: 503, grpc: 14, retryable: true },
  JOURNAL_UNWRITABLE: { http: 503, grpc: 14, retryable: true },
  STORAGE_UNAVAILABLE: { http: 503, grpc: 14, retryable: true },
  SHUTTING_DOWN: { http: 503, grpc: 14, retryable: true },
  OVERLOADED: { http: 503, grpc: 14, retryable: true },
  QUERY_TIMEOUT: { http: 504, grpc: 4, retryable: true },
  /** Start-up cannot go on; the command prints the message and exits with 1. */
  CANNOT_START: { http: 500, grpc: 13, retryable: false },
} as const satisfies Record<string, { http: number; grpc: number; retryable: boolean }>

/** A code of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What an {@link AppError} may carry beside its message. */
export interface AppErrorOptions {
  readonly cause?: unknown
  /** Machine-readable context for the client: a position in a query, a path in a configuration. */
  readonly details?: Readonly<Record<string, unknown>>
  /** How long a client should wait before it tries again, milliseconds. */
  readonly retryAfterMs?: number
}

/**
 * An error that a caller is expected to meet. The message says what could not be done, a colon, and the state that
 * prevents it: `Cannot parse the query: unexpected ')' at 1:14`.
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>> | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
    this.retryAfterMs = options.retryAfterMs
  }

  /** Whether the same request may succeed later. */
  get isRetryable(): boolean {
    return ERROR_CODES[this.code].retryable
  }

  /** The HTTP status of the native REST API. */
  get httpStatus(): number {
    return ERROR_CODES[this.code].http
  }

  /** The gRPC status code (number). */
  get grpcStatus(): number {
    return ERROR_CODES[this.code].grpc
  }
}

/** The message of anything thrown. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
