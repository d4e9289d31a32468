import type { RangeCache } from '../../promql/frontend/range-cache.ts'
import type { QueryEngine } from '../../promql/query-engine.ts'
import type { QueryDeps } from '../../query-deps.ts'
import type { QueryString } from '../query-values.ts'

/** Answers `data` of a path that another room knows about. */
export type PrometheusAnswer = (request: {
  readonly tenant: string
  /** Parameters of the URL and of a form, as they came. */
  readonly query: QueryString
}) => unknown

/** Bounds of queries. */
export interface QueryBounds {
  /** Longest time of a query, milliseconds. */
  readonly timeoutMs: number
  /** Evaluations at the same time. */
  readonly concurrency: number
  /** Points of one answer. */
  readonly maxSamples: number
  /** Null: nothing is remembered. */
  readonly cache: RangeCache | null
}

/** What holds when nothing is configured. */
export const DEFAULT_QUERY_BOUNDS: QueryBounds = {
  timeoutMs: 30_000,
  concurrency: 8,
  maxSamples: 50_000_000,
  cache: null,
}

/** What Prometheus' API is made from. */
export interface PrometheusApiDeps extends QueryDeps {
  readonly engine: QueryEngine
  /** Bounds of the queries that come over the network; absent: the configuration's defaults, and nothing is remembered. */
  readonly bounds?: QueryBounds
  /** `data` of `rules`; absent: there are none. */
  readonly rules?: PrometheusAnswer
  /** `data` of `alerts`; absent: there are none. */
  readonly alerts?: PrometheusAnswer
  /** `data` of `targets`; absent: nothing is scraped. */
  readonly targets?: PrometheusAnswer
}
