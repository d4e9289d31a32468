import type { AccessControl } from '../../runtime/access-control.ts'
import type { Clock } from '../../runtime/clock.ts'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { TlsMaterial } from '../../runtime/tls.ts'
import type { Refusals } from '../create-refusals.ts'
import type { ExportSink } from '../export-sink.ts'
import type { WriteAnswerOptions } from '../prometheus/answer-write.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { OtlpStatus } from './otlp-response.ts'
import type { ReceiverMetrics } from './receiver-metrics.ts'

/** What both receivers need. */
export interface ReceiverOptions {
  readonly sink: ExportSink
  /** Takes Prometheus' remote write over HTTP; absent: nobody does. */
  readonly writes?: WriteAnswerOptions
  readonly access: AccessControl
  /** Shared by the receivers, so that all requests together stay within `ingest.maxInFlight`. */
  readonly budget: ByteBudget
  readonly metrics: ReceiverMetrics
  /** Counts what is refused before the sink has it. */
  readonly refusals: Refusals
  /** Largest message, bytes; compressed and decompressed alike. */
  readonly maxMessageBytes: number
  /** Null: plain text. */
  readonly tls: TlsMaterial | null
  readonly logger: Logger
  readonly clock: Clock
}

/** A listener for OTLP. */
export interface Receiver {
  /**
   * Starts to listen; port 0 takes any free one. Resolves with the address as the ready line shows it.
   * Throws AppError CANNOT_START.
   */
  listen(host: string, port: number): Promise<string>
  /** Renews the certificates of a receiver that has TLS: new connections are made with them, those that are open keep theirs. */
  renewTls(tls: TlsMaterial): void
  /** Stops to listen, finishes the requests in flight, and after `graceMs` cuts what is left. */
  close(graceMs: number): Promise<void>
}

/** When a sender should come again if nobody knows better. */
const DEFAULT_RETRY_AFTER_MS = 1000

/** What a sender is told about something thrown. What nobody expected is told as an internal error, without its text. */
export function statusOf(thrown: unknown): OtlpStatus {
  if (!(thrown instanceof AppError)) return { code: 13, message: 'Cannot take the message: internal error' }
  const retryAfterMs = thrown.isRetryable ? (thrown.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS) : undefined
  return { code: thrown.grpcStatus, message: thrown.message, retryAfterMs }
}

/** No room for another request. */
export function overloaded(): AppError {
  return new AppError('OVERLOADED', 'Cannot take the message: too many requests are being handled')
}

/** Why a listener could not start. */
export function cannotListen(what: string, host: string, port: number, error: unknown): AppError {
  const code = (error as NodeJS.ErrnoException).code
  const isTaken = code === 'EADDRINUSE' || /EADDRINUSE|already in use/i.test(errorMessage(error))
  const why = isTaken ? 'the port is in use' : errorMessage(error)
  return new AppError('CANNOT_START', `Cannot listen on ${hostAndPort(host, port)} for ${what}: ${why}`, {
    cause: error,
  })
}

/** `127.0.0.1:4317`, `[::1]:4317`. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
