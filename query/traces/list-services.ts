import type { QueryDeps } from '../query-deps.ts'
import { allOf } from './bound-sql.ts'
import { rollUpSource } from './roll-up-source.ts'

/** Which range, for whom. Epoch milliseconds, end exclusive; widened to whole slots of ten seconds. */
export interface ListServicesRequest {
  readonly tenant: string
  readonly startMs: number
  readonly endMs: number
  readonly signal?: AbortSignal | undefined
}

/** A service that sent spans. */
export interface ServiceSeen {
  readonly service: string
  readonly spanCount: number
  readonly errorCount: number
}

/**
 * Lists the services whose spans started in the range, by name; at most `QueryLimits.maxNames`.
 * Throws what `Storage.select` throws.
 */
export async function listServices(deps: QueryDeps, request: ListServicesRequest): Promise<ServiceSeen[]> {
  const { tenant, signal } = request
  const source = rollUpSource('red', ['service', 'is_error', 'calls'], request, allOf([]))
  const rows = await deps.storage.select<{ service: string; spanCount: string; errorCount: string }>({
    name: 'traces.services',
    tenant,
    sql: `SELECT
  service,
  toString(sum(calls)) AS spanCount,
  toString(sumIf(calls, is_error)) AS errorCount
FROM (
  ${source.sql}
)
GROUP BY service
ORDER BY service
LIMIT {limit:UInt32}`,
    params: { ...source.params, limit: deps.limits.maxNames },
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.map(({ service, spanCount, errorCount }) => ({
    service,
    spanCount: Number(spanCount),
    errorCount: Number(errorCount),
  }))
}
