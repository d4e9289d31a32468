import type { FloatHistogram } from '../../model/float-histogram.ts'
import type { Labels } from '../../model/labels.ts'
import type { QueryTrace } from './query-plan.ts'
import type { SeriesOverlay } from './series-source.ts'

/** One element of an instant vector. `timestampMs` is the query's time. */
export interface VectorSample {
  readonly labels: Labels
  readonly timestampMs: number
  readonly value: number
  /** The sample is this native histogram, and `value` means nothing. */
  readonly histogram?: FloatHistogram
}

/** One series of a range vector or of a range query's answer: only points that are there, ascending. */
export interface MatrixSeries {
  readonly labels: Labels
  /** Epoch milliseconds. */
  readonly timestamps: Float64Array
  readonly values: Float64Array
  /** Where there is one, the point is that native histogram. Absent or null: only numbers. */
  readonly histograms?: readonly (FloatHistogram | null)[] | null
}

interface Notes {
  /** `PromQL warning: … (1:5)`: the answer may not be what was meant. */
  readonly warnings: readonly string[]
  /** `PromQL info: … (1:5)`: something to look at. */
  readonly infos: readonly string[]
}

/** What a query gives. An instant query gives any of these, a range query a matrix, sorted by labels. */
export type QueryResult = Notes &
  (
    | { readonly type: 'scalar'; readonly timestampMs: number; readonly value: number }
    | { readonly type: 'string'; readonly timestampMs: number; readonly value: string }
    | { readonly type: 'vector'; readonly vector: readonly VectorSample[] }
    | { readonly type: 'matrix'; readonly matrix: readonly MatrixSeries[] }
  )

interface QueryBase {
  readonly tenant: string
  /** PromQL. */
  readonly expr: string
  /** How far back an instant selector looks for a sample; default 5 minutes. */
  readonly lookbackMs?: number
  readonly signal?: AbortSignal
  /** Samples merged into what the source gives. */
  readonly overlay?: SeriesOverlay
  /** Is told how the query was answered. */
  readonly trace?: QueryTrace
}

/** A query at one moment. */
export interface InstantQuery extends QueryBase {
  readonly timeMs: number
}

/** A query at start, start + step … up to and including end. `stepMs` > 0. */
export interface RangeQuery extends QueryBase {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

/**
 * Evaluates PromQL as Prometheus 3 does. Throws AppError: QUERY_PARSE_FAILED, QUERY_EXECUTION_FAILED (the query has no answer),
 * QUERY_NOT_SUPPORTED (`not supported yet: NAME at 1:5`), RESULT_TOO_LARGE, CANCELLED, and what the source throws.
 */
export interface QueryEngine {
  instant(query: InstantQuery): Promise<QueryResult>
  range(query: RangeQuery): Promise<QueryResult>
}
