/** Which detector spoke. */
export type EjectionType =
  | 'consecutive_5xx'
  | 'consecutive_gateway_failure'
  | 'consecutive_local_origin_failure'
  | 'manual'

/** One result that spoke against an endpoint. */
export interface OutlierEvidence {
  readonly atMs: number
  /** What was charged: the response's status, or 503/504 for a local failure. */
  readonly status: number
  /** What happened where no response came; null: a response did. */
  readonly localOrigin: LocalOriginFailure | null
  /** 32 hex digits; '' when not known. */
  readonly traceId: string
}

/** A failure seen on our side: charged as 504 for a timeout, else 503, unless `splitExternalLocalOriginErrors`. */
export type LocalOriginFailure = 'timeout' | 'connect-failure' | 'reset'

/** What an attempt tells outlier detection. Overflows of our own breakers tell nothing. */
export type OutlierEvent =
  | { readonly kind: 'response'; readonly status: number; readonly traceId: string }
  | { readonly kind: 'local-failure'; readonly cause: LocalOriginFailure; readonly traceId: string }
  /** A connection was made or is in use: resets the local-origin counter under split mode. */
  | { readonly kind: 'connected' }

/** What is known of one endpoint. Times are those of the clock handed in, milliseconds. */
export interface EndpointOutlierState {
  readonly consecutive5xx: number
  readonly consecutiveGateway: number
  readonly consecutiveLocalOrigin: number
  readonly ejection: Ejection | null
  /** How often it was ejected. */
  readonly ejections: number
  /** Multiplier of the base ejection time; grows with each ejection, shrinks with each sweep of good conduct. */
  readonly backoff: number
  readonly lastReturnMs: number | null
  /** The last failures of the current run, oldest first; at most {@link MAX_EVIDENCE}. */
  readonly failures: readonly OutlierEvidence[]
}

/** An ejection in force. */
export interface Ejection {
  readonly type: EjectionType
  readonly atMs: number
  /**
   * When it has served its time. It returns at the first sweep from then on, so up to one interval later; Infinity for one that only
   * a person ends.
   */
  readonly untilMs: number
  readonly evidence: readonly OutlierEvidence[]
}

/** How many failures are kept as evidence. */
export const MAX_EVIDENCE = 10

/** An endpoint of which nothing is known. */
export const NEW_ENDPOINT: EndpointOutlierState = {
  consecutive5xx: 0,
  consecutiveGateway: 0,
  consecutiveLocalOrigin: 0,
  ejection: null,
  ejections: 0,
  backoff: 0,
  lastReturnMs: null,
  failures: [],
}

/** What happened to an endpoint, for telemetry. */
export type OutlierTransition =
  | {
      readonly kind: 'ejected'
      readonly type: EjectionType
      /** Planned length, jitter included; the return waits for the next sweep. */
      readonly ejectionMs: number
      readonly untilMs: number
      readonly ejections: number
      readonly evidence: readonly OutlierEvidence[]
    }
  /** Detected, but the detector is not enforced (or the dice said no). */
  | {
      readonly kind: 'unenforced'
      readonly type: EjectionType
      readonly evidence: readonly OutlierEvidence[]
    }
  /** Detected, but `maxEjectionPercent` forbids it: `ejections_overflow`. */
  | {
      readonly kind: 'overflow'
      readonly type: EjectionType
      /** Share that would have been out, percent. */
      readonly wouldBePercent: number
      readonly maxPercent: number
      readonly evidence: readonly OutlierEvidence[]
    }
  | {
      readonly kind: 'returned'
      readonly cause: 'served' | 'manual'
      readonly type: EjectionType
      readonly ejectedMs: number
      readonly ejections: number
    }
