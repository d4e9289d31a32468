import type { QueryDeps } from '../query-deps.ts'
import { rollUpSource } from '../traces/roll-up-source.ts'

/** Which callee, where, when. Epoch milliseconds, end exclusive; widened to whole slots of ten seconds. */
export interface FindUpstreamsRequest {
  readonly tenant: string
  readonly startMs: number
  readonly endMs: number
  /** Names without namespace: `payments`. */
  readonly names: readonly string[]
  readonly signal?: AbortSignal | undefined
}

/** The names under which callers called these services, of whatever namespace: `payments`, `payments.shop`. Throws what `Storage.select` throws. */
export async function findUpstreams(deps: QueryDeps, request: FindUpstreamsRequest): Promise<string[]> {
  const { tenant, names, signal } = request
  const source = rollUpSource('edges', ['upstream'], request, {
    sql: `substringIndex(upstream, '.', 1) IN {names:Array(String)}`,
    params: { names },
  })
  const rows = await deps.storage.select<{ readonly upstream: string }>({
    name: 'mesh.upstreams',
    tenant,
    sql: `SELECT DISTINCT upstream
FROM (
  ${source.sql}
)
ORDER BY upstream
LIMIT 20`,
    params: source.params,
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.map(({ upstream }) => upstream)
}
