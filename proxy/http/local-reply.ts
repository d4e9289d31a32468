import type { ResetReason } from '../resilience/should-retry.ts'
import type { ResponseFlag } from '../telemetry/request-record.ts'

/** An answer that this proxy makes by itself; status and body are Envoy's. */
export interface LocalReply {
  readonly status: number
  readonly body: string
  readonly flag: ResponseFlag | null
  /** Envoy's response code details. */
  readonly details: string
  /** Raw headers beside `content-length` and `content-type`. */
  readonly headers: readonly string[]
}

interface ResetMeaning {
  readonly status: number
  readonly flag: ResponseFlag
  /** Envoy's `StreamResetReason` as text. */
  readonly said: string
}

const RESETS: Readonly<Record<ResetReason, ResetMeaning>> = {
  overflow: { status: 503, flag: 'UO', said: 'overflow' },
  'connect-failure': { status: 503, flag: 'UF', said: 'remote connection failure' },
  'connect-timeout': { status: 503, flag: 'UF', said: 'connection timeout' },
  'refused-stream': { status: 503, flag: 'UR', said: 'remote refused stream reset' },
  'remote-reset': { status: 503, flag: 'UR', said: 'remote reset' },
  'connection-termination': { status: 503, flag: 'UC', said: 'connection termination' },
  'protocol-error': { status: 502, flag: 'UPE', said: 'protocol error' },
  'per-try-timeout': { status: 504, flag: 'UT', said: '' },
  'global-timeout': { status: 504, flag: 'UT', said: '' },
  'local-reset': { status: 503, flag: 'LR', said: 'local reset' },
}

/** The flag that an attempt's end raises. */
export function resetFlag(reason: ResetReason): ResponseFlag {
  return RESETS[reason].flag
}

/** The answer to a request whose last attempt ended so. */
export function resetReply(reason: ResetReason, detail: string, isRetried: boolean): LocalReply {
  const { status, flag, said } = RESETS[reason]
  if (reason === 'per-try-timeout' || reason === 'global-timeout') {
    const details = reason === 'per-try-timeout' ? 'upstream_per_try_timeout' : 'response_timeout'
    return { status, flag, body: 'upstream request timeout', details, headers: [] }
  }
  const transport = detail === '' ? '' : `, transport failure reason: ${detail}`
  const latest = isRetried ? 'retried and the latest reset reason' : 'reset reason'
  const cause = `${said}${detail === '' ? '' : `|${detail}`}`.replaceAll(' ', '_')
  return {
    status,
    flag,
    body: `upstream connect error or disconnect/reset before headers. ${latest}: ${said}${transport}`,
    details: `upstream_reset_before_response_started{${cause}}`,
    headers: reason === 'overflow' ? ['x-envoy-overloaded', 'true'] : [],
  }
}

/** No endpoint can be chosen. */
export const NO_HEALTHY_UPSTREAM: LocalReply = {
  status: 503,
  body: 'no healthy upstream',
  flag: 'UH',
  details: 'no_healthy_upstream',
  headers: [],
}

/** No host or route fits. */
export const NO_ROUTE: LocalReply = {
  status: 404,
  body: '',
  flag: 'NR',
  details: 'route_not_found',
  headers: [],
}

/** The caller's request cannot be understood or passed on. */
export function badRequest(details: string): LocalReply {
  return { status: 400, body: 'Bad Request', flag: 'DPE', details, headers: ['connection', 'close'] }
}
