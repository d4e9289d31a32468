import { Counter, type Registry } from 'prom-client'
import { AppError, type ErrorCode } from '../runtime/errors.ts'
import type { Signal } from './export-sink.ts'
import type { RejectReason } from './otlp/decode-outcome.ts'

const REASON_OF_CODE = {
  MALFORMED_MESSAGE: 'malformed',
  MESSAGE_TOO_LARGE: 'too_large',
  UNSUPPORTED_MEDIA_TYPE: 'unsupported',
  UNAUTHENTICATED: 'unauthenticated',
  PERMISSION_DENIED: 'permission_denied',
  OVERLOADED: 'overloaded',
  JOURNAL_FULL: 'journal_full',
  JOURNAL_UNWRITABLE: 'journal_unwritable',
  SHUTTING_DOWN: 'shutting_down',
  INTERNAL: 'internal',
  // What is no export is not refused as one, and a client that went away is refused nothing.
  NOT_FOUND: null,
  METHOD_NOT_ALLOWED: null,
  CANCELLED: null,
} as const satisfies Partial<Record<ErrorCode, string | null>>

/** Why a message was refused as a whole. */
export type MessageReason = NonNullable<(typeof REASON_OF_CODE)[keyof typeof REASON_OF_CODE]>

/** All there are: with the reasons for items these bound the label `reason`. */
export const MESSAGE_REASONS: readonly MessageReason[] = Object.values(REASON_OF_CODE).filter(
  (reason) => reason !== null,
)

/** Counts what is refused. Each refusal is counted by the one who refuses: the sink, or whoever stands before it. */
export interface Refusals {
  /** A message that was refused as a whole, by what was thrown; a request that was none is not counted. */
  message(signal: Signal, thrown: unknown): void
  /** Spans, data points, log records or messages. */
  count(signal: Signal, reason: RejectReason | MessageReason, count: number): void
}

/** Registers the counter of refusals; once per registry. `/metrics` shows the sum over the threads. */
export function createRefusals(registry: Registry): Refusals {
  const refused = new Counter({
    name: 'meshwatch_ingest_refused_total',
    help: 'Spans, data points and log records refused; messages where the reason is one for a whole message.',
    labelNames: ['signal', 'reason'],
    registers: [registry],
  })
  const count: Refusals['count'] = (signal, reason, by) => refused.inc({ signal, reason }, by)
  return {
    message: (signal, thrown) => {
      const reason = reasonOf(thrown)
      if (reason !== null) count(signal, reason, 1)
    },
    count,
  }
}

function reasonOf(thrown: unknown): MessageReason | null {
  if (!(thrown instanceof AppError)) return 'internal'
  const reasons: Partial<Record<ErrorCode, MessageReason | null>> = REASON_OF_CODE
  const reason = reasons[thrown.code]
  return reason === undefined ? 'internal' : reason
}
