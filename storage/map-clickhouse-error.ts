import { AppError, type ErrorCode, errorMessage } from '../runtime/errors.ts'

/** ClickHouse's error numbers (`ErrorCodes.cpp`) that mean something to a caller. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  '158': 'RESULT_TOO_LARGE', // TOO_MANY_ROWS
  '159': 'QUERY_TIMEOUT', // TIMEOUT_EXCEEDED
  '160': 'QUERY_TIMEOUT', // TOO_SLOW
  '192': 'STORAGE_UNAVAILABLE', // UNKNOWN_USER
  '193': 'STORAGE_UNAVAILABLE', // WRONG_PASSWORD
  '194': 'STORAGE_UNAVAILABLE', // REQUIRED_PASSWORD
  '202': 'STORAGE_UNAVAILABLE', // TOO_MANY_SIMULTANEOUS_QUERIES
  '209': 'STORAGE_UNAVAILABLE', // SOCKET_TIMEOUT
  '210': 'STORAGE_UNAVAILABLE', // NETWORK_ERROR
  '236': 'STORAGE_UNAVAILABLE', // ABORTED: the engine is shutting down
  '241': 'RESULT_TOO_LARGE', // MEMORY_LIMIT_EXCEEDED
  '242': 'STORAGE_UNAVAILABLE', // TABLE_IS_READ_ONLY
  '243': 'STORAGE_UNAVAILABLE', // NOT_ENOUGH_SPACE
  '252': 'STORAGE_UNAVAILABLE', // TOO_MANY_PARTS
  '279': 'STORAGE_UNAVAILABLE', // ALL_CONNECTION_TRIES_FAILED
  '307': 'RESULT_TOO_LARGE', // TOO_MANY_BYTES
  '394': 'CANCELLED', // QUERY_WAS_CANCELLED
  '396': 'RESULT_TOO_LARGE', // TOO_MANY_ROWS_OR_BYTES
  '497': 'STORAGE_UNAVAILABLE', // ACCESS_DENIED
  '516': 'STORAGE_UNAVAILABLE', // AUTHENTICATION_FAILED
  '999': 'STORAGE_UNAVAILABLE', // KEEPER_EXCEPTION
}

/** An exception of ClickHouse, by whichever client it came. */
export interface ClickHouseAnswer extends Error {
  /** ClickHouse's number, decimal. */
  readonly code: string
}

/**
 * Whether ClickHouse itself answered with an error. By shape: the two connections throw errors of the same name from
 * two copies of the class.
 */
export function isClickHouseError(thrown: unknown): thrown is ClickHouseAnswer {
  return (
    thrown instanceof Error &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    /^\d+$/.test(thrown.code)
  )
}

/**
 * Turns whatever a connection threw into an AppError with a sentence that starts with `what` ("ask traces.search").
 * `isRead` decides what running out of time or memory means: for a read its own limit, for a write a busy ClickHouse.
 */
export function mapClickHouseError(thrown: unknown, what: string, isRead: boolean): AppError {
  if (thrown instanceof AppError) {
    if (isRead || thrown.code !== 'QUERY_TIMEOUT') return thrown
    return new AppError('STORAGE_UNAVAILABLE', `Cannot ${what}: ClickHouse does not answer`, {
      cause: thrown,
    })
  }
  if (isClickHouseError(thrown)) return fromClickHouse(thrown, what, isRead)
  const code = causeCode(thrown)
  if (code === 'ENOSPC') {
    return diskFull(what, thrown)
  }
  return new AppError('STORAGE_UNAVAILABLE', `Cannot ${what}: ${networkReason(code, thrown)}`, {
    cause: thrown,
  })
}

function fromClickHouse(error: ClickHouseAnswer, what: string, isRead: boolean): AppError {
  // Whichever of its many writers met it, and under many numbers.
  if (/No space left on device|errno: 28\b/.test(error.message)) return diskFull(what, error)
  const known = CODES[error.code] ?? 'INTERNAL'
  const isLimit = known === 'RESULT_TOO_LARGE' || known === 'QUERY_TIMEOUT'
  const code: ErrorCode = !isRead && isLimit ? 'STORAGE_UNAVAILABLE' : known
  return new AppError(code, `Cannot ${what}: ${reason(error, isRead)}`, {
    cause: error,
    details: { clickhouseCode: Number(error.code) },
  })
}

function diskFull(what: string, cause: unknown): AppError {
  return new AppError('STORAGE_UNAVAILABLE', `Cannot ${what}: the disk is full`, { cause })
}

function reason(error: ClickHouseAnswer, isRead: boolean): string {
  switch (error.code) {
    case '159':
    case '160':
      return isRead
        ? 'it takes longer than the time limit of a query'
        : 'ClickHouse is too slow at the moment'
    case '158':
    case '307':
      return 'it reads more rows than a query may'
    case '241':
      return isRead
        ? 'it needs more memory than a query may use'
        : 'ClickHouse has not enough memory at the moment'
    case '243':
      return 'the disk is full'
    case '252':
      return 'ClickHouse has too many unmerged parts at the moment'
    case '394':
      return 'the query was cancelled'
    case '396':
      return 'the result has more rows than a query may return'
    case '192':
    case '193':
    case '194':
    case '516':
      return 'ClickHouse refuses the user name or password'
    case '497':
      return `the ClickHouse user lacks a right (${firstLine(error.message)})`
    default:
      return `ClickHouse says ${firstLine(error.message)} (code ${error.code})`
  }
}

function networkReason(code: string | undefined, thrown: unknown): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'ClickHouse refuses the connection'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name of the ClickHouse server cannot be resolved'
    case 'ECONNRESET':
    case 'EPIPE':
      return 'ClickHouse closed the connection'
    default:
      return firstLine(errorMessage(thrown))
  }
}

function causeCode(thrown: unknown): string | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && typeof error.code === 'string') return error.code
  }
  return undefined
}

/** One line, bounded: ClickHouse repeats whole statements and hints in its messages. */
function firstLine(message: string): string {
  const line = message.split('\n')[0]?.trim() ?? ''
  return line.length > 300 ? `${line.slice(0, 300)}…` : line.replace(/\.$/, '')
}
