import type { Registry } from 'prom-client'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Storage } from '../storage/storage.ts'

/** Bounds of answers, beside the storage's limits of time, memory and rows. */
export interface QueryLimits {
  /** Spans in one trace's answer; more are cut off and `isTruncated` says so. */
  readonly maxSpans: number
  /** Traces or log records in one page. */
  readonly maxPageSize: number
  /** Names in one list (services, operations, attribute keys, attribute values). */
  readonly maxNames: number
}

/** What holds when nothing is configured. */
export const DEFAULT_QUERY_LIMITS: QueryLimits = {
  maxSpans: 20_000,
  maxPageSize: 1_000,
  maxNames: 10_000,
}

/** What every question needs. Handed to the functions of this room and to its routes. */
export interface QueryDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly logger: Logger
  /** Where the metrics about questions are counted. */
  readonly registry: Registry
  readonly limits: QueryLimits
  /** How users reach the API, without trailing slash; null when it is not configured. */
  readonly externalUrl: string | null
  /** Samples that one PromQL query may hold; default 50,000,000. */
  readonly maxSamples?: number
}
