import type { QueryEngine } from '../../promql/query-engine.ts'
import type { QueryDeps } from '../../query-deps.ts'
import type { QueryString } from '../query-values.ts'

/** Answers `data` of a path that another room knows about. */
export type PrometheusAnswer = (request: {
  readonly tenant: string
  /** Parameters of the URL and of a form, as they came. */
  readonly query: QueryString
}) => unknown

/** What Prometheus' API is made from. */
export interface PrometheusApiDeps extends QueryDeps {
  readonly engine: QueryEngine
  /** `data` of `rules`; absent: there are none. */
  readonly rules?: PrometheusAnswer
  /** `data` of `alerts`; absent: there are none. */
  readonly alerts?: PrometheusAnswer
}
