import { AppError } from '../../../runtime/errors.ts'
import { TOO_MANY_SAMPLES } from '../too-many-samples.ts'

/** How long a query may go on. */
export interface QueryDeadline {
  /** Fires when the client has gone or the time is up. */
  readonly signal: AbortSignal
  /** Call when the query has ended. */
  clear(): void
  /** What the query's failure is to its client, in Prometheus' words: running out of time, going away, or the failure itself. */
  explain(error: unknown): unknown
}

const LONGEST_MS = 2 ** 31 - 1

/** Starts the time of a query; `client` fires when nobody waits for the answer. */
export function startDeadline(timeoutMs: number, client: AbortSignal | undefined): QueryDeadline {
  const controller = new AbortController()
  let isLate = false
  const timer = setTimeout(
    () => {
      isLate = true
      controller.abort()
    },
    Math.min(LONGEST_MS, Math.max(0, timeoutMs)),
  )
  const leave = () => controller.abort()
  if (client?.aborted === true || timeoutMs <= 0) leave()
  client?.addEventListener('abort', leave, { once: true })
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer)
      client?.removeEventListener('abort', leave)
    },
    explain: (error) => {
      if (timeoutMs <= 0) return new AppError('QUERY_TIMEOUT', 'query timed out in query execution')
      if (client?.aborted === true) return new AppError('CANCELLED', `query was canceled in ${place(error)}`)
      if (isLate || isOf(error, 'QUERY_TIMEOUT')) {
        return new AppError('QUERY_TIMEOUT', `query timed out in ${place(error)}`, { cause: error })
      }
      // The database's own bounds of memory and rows: in its words only what is more than Prometheus knows.
      if (
        error instanceof AppError &&
        isOf(error, 'RESULT_TOO_LARGE') &&
        error.message.startsWith('Cannot ')
      ) {
        const reason = error.message.slice(error.message.indexOf(': ') + 2)
        return new AppError('RESULT_TOO_LARGE', `${TOO_MANY_SAMPLES} (${reason})`, { cause: error })
      }
      return error
    },
  }
}

function place(error: unknown): string {
  const isQueued = error instanceof Error && error.message.endsWith('in query queue')
  return isQueued ? 'query queue' : 'expression evaluation'
}

function isOf(error: unknown, code: AppError['code']): boolean {
  return error instanceof AppError && error.code === code
}
