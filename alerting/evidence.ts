import type { Labels } from '../model/labels.ts'

/** What evidence is sought for: one alert (or the common labels of several) and when it fired. Times epoch milliseconds. */
export interface EvidenceRequest {
  readonly tenant: string
  readonly labels: Labels
  readonly startsAtMs: number
  /** Until when to look: when the alert ended, or now. */
  readonly endsAtMs: number
  /** How far before `startsAtMs` the rule looked, milliseconds. */
  readonly windowMs: number
}

/** A trace that shows what the alert is about. */
export interface EvidenceTrace {
  readonly traceId: string
  readonly why: 'slowest' | 'failed' | 'most-retried'
  readonly durationMs: number
  readonly service: string
  readonly operation: string
  /** Null when users' way to the API is not configured. */
  readonly link: string | null
}

/** An endpoint that outlier detection ejected. */
export interface EjectedEndpoint {
  readonly cluster: string
  readonly endpoint: string
  readonly ejectedAtMs: number
  readonly reason: string
}

/** 503s of the window that carry the same response flags. `share`: of all 503s, 0 to 1. */
export interface FlagShare {
  readonly flags: string
  readonly count: number
  readonly share: number
}

/** What is attached to a message beside the alerts. JSON through and through: it is kept with the message. */
export interface Evidence {
  readonly traces: readonly EvidenceTrace[]
  readonly endpointsEjected: readonly EjectedEndpoint[]
  readonly by503Flag: readonly FlagShare[]
  readonly links: readonly { readonly title: string; readonly url: string }[]
  /** What could not be found out, for the reader; null when all is there. */
  readonly problem: string | null
}

/** Gathers evidence, within two seconds. Never rejects: what fails is said in `problem`. */
export type EvidenceProvider = (request: EvidenceRequest) => Promise<Evidence>
