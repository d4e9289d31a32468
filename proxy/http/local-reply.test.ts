import { describe, expect, test } from 'vitest'
import type { ResetReason } from '../resilience/should-retry.ts'
import { resetReply } from './local-reply.ts'

// Envoy: Filter::onUpstreamAbort and Http::Utility::resetReasonToString.
describe('answers of our own are Envoy’s', () => {
  test.each<[ResetReason, number, string, string]>([
    [
      'overflow',
      503,
      'UO',
      'upstream connect error or disconnect/reset before headers. reset reason: overflow',
    ],
    [
      'connection-termination',
      503,
      'UC',
      'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
    ],
    [
      'remote-reset',
      503,
      'UR',
      'upstream connect error or disconnect/reset before headers. reset reason: remote reset',
    ],
    [
      'protocol-error',
      502,
      'UPE',
      'upstream connect error or disconnect/reset before headers. reset reason: protocol error',
    ],
    [
      'local-reset',
      503,
      'LR',
      'upstream connect error or disconnect/reset before headers. reset reason: local reset',
    ],
    [
      'connect-timeout',
      503,
      'UF',
      'upstream connect error or disconnect/reset before headers. reset reason: connection timeout',
    ],
    ['per-try-timeout', 504, 'UT', 'upstream request timeout'],
    ['global-timeout', 504, 'UT', 'upstream request timeout'],
  ])('%s', (reason, status, flag, body) => {
    expect(resetReply(reason, '', false)).toMatchObject({ status, flag, body })
  })

  test('the transport’s reason and the retries are told', () => {
    expect(resetReply('connect-failure', 'Connection refused', true)).toMatchObject({
      body: 'upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, transport failure reason: Connection refused',
      details: 'upstream_reset_before_response_started{remote_connection_failure|Connection_refused}',
    })
    expect(resetReply('overflow', '', false).headers).toEqual(['x-envoy-overloaded', 'true'])
  })
})
