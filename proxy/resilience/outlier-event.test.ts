import { expect, test } from 'vitest'
import { outlierEvent } from './outlier-event.ts'
import type { ResetReason } from './should-retry.ts'

test.each<[ResetReason, string | null]>([
  ['overflow', null],
  ['local-reset', null],
  ['per-try-timeout', 'timeout'],
  ['global-timeout', 'timeout'],
  ['connect-failure', 'connect-failure'],
  ['connect-timeout', 'connect-failure'],
  ['remote-reset', 'reset'],
  ['refused-stream', 'reset'],
  ['connection-termination', 'reset'],
  ['protocol-error', 'reset'],
])('a reset by %s is charged as %s', (reason, cause) => {
  const event = outlierEvent({ kind: 'reset', reason, isRequestSent: true }, 't')
  expect(event).toEqual(cause === null ? null : { kind: 'local-failure', cause, traceId: 't' })
})

test.each([
  [503, null, 503],
  [200, null, 200],
  [200, 0, 200],
  [200, 14, 503],
  [200, 4, 504],
  [200, 13, 500],
  [200, 5, 404],
  [200, 99, 500],
])('status %d with grpc-status %s is charged as %d', (status, grpcStatus, charged) => {
  const event = outlierEvent(
    { kind: 'headers', status, grpcStatus, isRateLimited: false, hasRetriableHeader: false },
    't',
  )
  expect(event).toEqual({ kind: 'response', status: charged, traceId: 't' })
})
