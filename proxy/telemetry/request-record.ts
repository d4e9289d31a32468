import type { ClusterPolicy } from '../policy/proxy-policy.ts'
import type { NoRetryReason, ResetReason, RetryReason } from '../resilience/should-retry.ts'
import type { PeerIdentity } from './peer-identity.ts'

/** Envoy's response flags that this proxy raises. */
export type ResponseFlag =
  | 'UH'
  | 'UF'
  | 'UO'
  | 'NR'
  | 'URX'
  | 'UT'
  | 'UC'
  | 'UR'
  | 'LR'
  | 'UPE'
  | 'DPE'
  | 'DC'
  | 'DI'
  | 'FI'

/** One attempt of a request. Times are the clock's monotonic milliseconds. */
export interface AttemptRecord {
  /** 0 is the first try. */
  readonly number: number
  readonly spanId: string
  /** '' when no endpoint was found. */
  readonly address: string
  readonly startMs: number
  endMs: number
  /** 0: no response. */
  status: number
  /** Why there is no (whole) response; null: there is. */
  reset: ResetReason | null
  flag: ResponseFlag | null
  /** Why this attempt was made: what the one before met; null for the first try. */
  readonly retryReason: RetryReason | null
  /** How long was waited before it. */
  readonly backoffMs: number
  /** `retried`, or why it was not made again. */
  verdict: 'retried' | NoRetryReason | null
  /** The condition that would have had it made again. */
  withheld: RetryReason | null
}

/** Everything telemetry needs of one request; spans and metrics are made of it alone. */
export interface RequestRecord {
  readonly role: 'inbound' | 'outbound'
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly traceState: string
  readonly isHeadSampled: boolean
  readonly requestId: string
  readonly method: string
  /** Path without query. */
  readonly path: string
  readonly authority: string
  readonly httpVersion: string
  readonly userAgent: string
  /** Who called, as the socket says. */
  readonly downstreamAddress: string
  readonly isGrpc: boolean
  /** Monotonic milliseconds; add `epochOffsetMs` for epoch time. */
  readonly startMs: number
  readonly epochOffsetMs: number
  endMs: number
  /** What the caller got; 0 when it left before. */
  status: number
  /** -1: none. */
  grpcStatus: number
  readonly flags: Set<ResponseFlag>
  /** Envoy's response code details: `via_upstream`, `no_healthy_upstream`. */
  details: string
  routeName: string
  /** '' when no route decided. */
  pathTemplate: string
  cluster: ClusterPolicy | null
  requestBytes: number
  responseBytes: number
  /** The caller on an inbound listener, the callee on an outbound one. */
  peer: PeerIdentity
  faultDelayMs: number
  readonly attempts: AttemptRecord[]
}

/** The flags as Envoy writes them: joined by commas, `-` for none. */
export function flagsText(flags: ReadonlySet<ResponseFlag>): string {
  return flags.size === 0 ? '-' : [...flags].join(',')
}
