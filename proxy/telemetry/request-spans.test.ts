import { describe, expect, test } from 'vitest'
import { fateOf } from './mesh-metrics.ts'
import { UNKNOWN_PEER } from './peer-identity.ts'
import type { AttemptRecord, RequestRecord, ResponseFlag } from './request-record.ts'
import { isWorthSending, requestSpans } from './request-spans.ts'

function attempt(number: number, changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    number,
    spanId: `000000000000000${number + 1}`,
    address: '[::1]:9001',
    startMs: 10 + number,
    endMs: 20 + number,
    status: 200,
    reset: null,
    flag: null,
    retryReason: null,
    backoffMs: 0,
    verdict: 'not-retriable',
    withheld: null,
    ...changes,
  }
}

function request(changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    role: 'outbound',
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    parentSpanId: '',
    traceState: '',
    isHeadSampled: false,
    requestId: 'r',
    method: 'GET',
    path: '/pay',
    authority: 'payments:8080',
    httpVersion: '1.1',
    userAgent: '',
    downstreamAddress: '127.0.0.1',
    isGrpc: false,
    startMs: 10,
    epochOffsetMs: 1_000_000,
    endMs: 40,
    status: 200,
    grpcStatus: -1,
    flags: new Set(),
    details: 'via_upstream',
    routeName: 'pay',
    pathTemplate: '/pay*',
    cluster: null,
    requestBytes: 0,
    responseBytes: 0,
    peer: UNKNOWN_PEER,
    faultDelayMs: 0,
    attempts: [attempt(0)],
    ...changes,
  }
}

const flags = (...list: ResponseFlag[]) => ({ flags: new Set(list) })

describe('what is sent of a trace that is not sampled', () => {
  test.each<[string, Partial<RequestRecord>, boolean]>([
    ['nothing to see', {}, false],
    ['a 404', { status: 404 }, false],
    ['sampled', { isHeadSampled: true }, true],
    ['retried', { attempts: [attempt(0), attempt(1)] }, true],
    ['flagged', flags('DI'), true],
    ['failed', { status: 500 }, true],
    ['the caller left', { status: 0 }, true],
    ['slow', { endMs: 1010 }, true],
    ['just not slow', { endMs: 1009 }, false],
  ])('%s', (_name, changes, isSent) => {
    expect(isWorthSending(request(changes), 1000)).toBe(isSent)
  })
})

describe('the status of spans (OpenTelemetry’s HTTP conventions)', () => {
  test.each<[number, boolean, boolean]>([
    [200, false, false],
    [304, false, false],
    [404, false, true],
    [500, true, true],
    [503, true, true],
  ])('%i', (status, isServerError, isClientError) => {
    const [server, client] = requestSpans(request({ status, attempts: [attempt(0, { status })] }))
    expect([server?.isError, client?.isError]).toEqual([isServerError, isClientError])
    expect(client?.attributes['error.type']).toBe(isClientError ? String(status) : undefined)
  })

  test('an attempt without response is an error by its own name', () => {
    const [, client] = requestSpans(
      request({ attempts: [attempt(0, { status: 0, reset: 'connect-failure', flag: 'UF' })] }),
    )
    expect(client).toMatchObject({ isError: true, statusMessage: 'connect-failure' })
    expect(client?.attributes).toMatchObject({ 'error.type': 'connect-failure', response_flags: 'UF' })
    expect(client?.attributes['http.response.status_code']).toBeUndefined()
  })
})

test('names have no path in them, times are epoch time, an IPv6 endpoint is taken apart', () => {
  const [server, client] = requestSpans(request())
  expect([server?.name, requestSpans(request({ pathTemplate: '' }))[0]?.name]).toEqual(['GET /pay*', 'GET'])
  expect([server?.startMs, server?.endMs, client?.startMs]).toEqual([1_000_010, 1_000_040, 1_000_010])
  expect(client?.attributes).toMatchObject({ 'network.peer.address': '::1', 'network.peer.port': 9001 })
})

describe('what became of a request', () => {
  const twice = { attempts: [attempt(0), attempt(1)] }
  test.each<[Partial<RequestRecord>, string]>([
    [{}, 'success'],
    [{ status: 404 }, 'success'],
    [twice, 'success_after_retry'],
    [{ status: 503, ...twice }, 'failed_after_retry'],
    [{ status: 503 }, 'failed_not_retried'],
    [{ status: 503, ...flags('UO') }, 'rejected_local'],
    [{ status: 404, ...flags('NR') }, 'rejected_local'],
    [{ status: 0, ...flags('DC') }, 'canceled'],
  ])('%#', (changes, fate) => {
    expect(fateOf(request(changes))).toBe(fate)
  })
})
