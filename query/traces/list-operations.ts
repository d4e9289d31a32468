import { SPAN_KINDS, type SpanKind } from '../../model/span.ts'
import type { QueryDeps } from '../query-deps.ts'
import { rollUpSource } from './roll-up-source.ts'
import { sharedConditions } from './span-conditions.ts'

/** Which range and service, for whom. Epoch milliseconds, end exclusive; widened to whole slots of ten seconds. */
export interface ListOperationsRequest {
  readonly tenant: string
  /** Absent: of all services. */
  readonly service?: string | undefined
  readonly kind?: SpanKind | undefined
  readonly startMs: number
  readonly endMs: number
  readonly signal?: AbortSignal | undefined
}

/** A span name of a service, with the kinds it occurs in. */
export interface OperationSeen {
  readonly name: string
  /** In the order of `SPAN_KINDS`. */
  readonly kinds: readonly SpanKind[]
  readonly spanCount: number
  readonly errorCount: number
}

/**
 * Lists the span names of a service in the range, by name; at most `QueryLimits.maxNames`.
 * Throws what `Storage.select` throws.
 */
export async function listOperations(
  deps: QueryDeps,
  request: ListOperationsRequest,
): Promise<OperationSeen[]> {
  const { tenant, service, kind, signal } = request
  const where = sharedConditions({ service, kind })
  const source = rollUpSource('red', ['name', 'kind', 'is_error', 'calls'], request, where)
  const rows = await deps.storage.select<Row>({
    name: 'traces.operations',
    tenant,
    sql: `SELECT
  name,
  groupUniqArray(toString(kind)) AS kinds,
  toString(sum(calls)) AS spanCount,
  toString(sumIf(calls, is_error)) AS errorCount
FROM (
  ${source.sql}
)
GROUP BY name
ORDER BY name
LIMIT {limit:UInt32}`,
    params: { ...source.params, limit: deps.limits.maxNames },
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.map(({ name, kinds, spanCount, errorCount }) => ({
    name,
    kinds: SPAN_KINDS.filter((candidate) => kinds.includes(candidate)),
    spanCount: Number(spanCount),
    errorCount: Number(errorCount),
  }))
}

interface Row {
  readonly name: string
  readonly kinds: readonly SpanKind[]
  readonly spanCount: string
  readonly errorCount: string
}
