import type { OutlierEvent } from './outlier-state.ts'
import type { AttemptOutcome } from './should-retry.ts'

/** Envoy's `Grpc::Utility::grpcToHttpStatus`, by gRPC status. */
const HTTP_OF_GRPC: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
]

/**
 * What an attempt's end tells outlier detection; null: nothing. A `grpc-status` among the headers is charged as the HTTP status it stands for. Timeouts are local
 * timeouts, also the one of the whole request; refusals by our own breakers and resets that we made ourselves (the caller
 * left) are not the endpoint's fault.
 */
export function outlierEvent(outcome: AttemptOutcome, traceId: string): OutlierEvent | null {
  if (outcome.kind === 'headers') {
    const { status, grpcStatus } = outcome
    return {
      kind: 'response',
      status: grpcStatus === null ? status : (HTTP_OF_GRPC[grpcStatus] ?? 500),
      traceId,
    }
  }
  switch (outcome.reason) {
    case 'overflow':
    case 'local-reset':
      return null
    case 'per-try-timeout':
    case 'global-timeout':
      return { kind: 'local-failure', cause: 'timeout', traceId }
    case 'connect-failure':
    case 'connect-timeout':
      return { kind: 'local-failure', cause: 'connect-failure', traceId }
    default:
      return { kind: 'local-failure', cause: 'reset', traceId }
  }
}
