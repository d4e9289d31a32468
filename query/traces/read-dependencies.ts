import type { QueryDeps } from '../query-deps.ts'
import { allOf } from './bound-sql.ts'
import { rollUpSource } from './roll-up-source.ts'

/** Which range, for whom. Epoch milliseconds, end exclusive; widened to whole slots of ten seconds. */
export interface ReadDependenciesRequest {
  readonly tenant: string
  readonly startMs: number
  readonly endMs: number
  readonly signal?: AbortSignal | undefined
}

/** Calls from one service to another, as the caller's client spans tell. Every attempt is a call. */
export interface Dependency {
  readonly parent: string
  /** The callee as its caller names it. */
  readonly child: string
  readonly callCount: number
  readonly errorCount: number
}

/**
 * Who called whom in the range, by parent and child; at most `QueryLimits.maxNames`.
 * Throws what `Storage.select` throws.
 */
export async function readDependencies(
  deps: QueryDeps,
  request: ReadDependenciesRequest,
): Promise<Dependency[]> {
  const { tenant, signal } = request
  const source = rollUpSource('edges', ['service', 'upstream', 'is_error', 'calls'], request, allOf([]))
  const rows = await deps.storage.select<Row>({
    name: 'traces.dependencies',
    tenant,
    sql: `SELECT
  service AS parent,
  upstream AS child,
  toString(sum(calls)) AS callCount,
  toString(sumIf(calls, is_error)) AS errorCount
FROM (
  ${source.sql}
)
GROUP BY service, upstream
ORDER BY service, upstream
LIMIT {limit:UInt32}`,
    params: { ...source.params, limit: deps.limits.maxNames },
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.map(({ parent, child, callCount, errorCount }) => ({
    parent,
    child,
    callCount: Number(callCount),
    errorCount: Number(errorCount),
  }))
}

interface Row {
  readonly parent: string
  readonly child: string
  readonly callCount: string
  readonly errorCount: string
}
