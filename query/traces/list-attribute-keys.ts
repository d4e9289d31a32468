import type { QueryDeps } from '../query-deps.ts'
import { storableDay } from './bound-sql.ts'

/** Where an attribute stands. */
export type AttributeLevel = 'span' | 'resource' | 'scope' | 'log' | 'metric'

/** Which days and levels, for whom. Epoch milliseconds, end exclusive; widened to whole days (UTC). */
export interface ListAttributeKeysRequest {
  readonly tenant: string
  /** Absent: span and resource. */
  readonly levels?: readonly AttributeLevel[] | undefined
  readonly startMs: number
  readonly endMs: number
  readonly signal?: AbortSignal | undefined
}

/** An attribute key that occurs, with the letters of its kinds (see `AttributeKind`). */
export interface AttributeKeySeen {
  readonly key: string
  readonly level: AttributeLevel
  readonly kinds: readonly string[]
}

/**
 * Lists attribute keys by level and key; at most `QueryLimits.maxNames`. Throws what `Storage.select` throws.
 */
export async function listAttributeKeys(
  deps: QueryDeps,
  request: ListAttributeKeysRequest,
): Promise<AttributeKeySeen[]> {
  const { tenant, startMs, endMs, signal } = request
  const day = (name: string) => `toDate(fromUnixTimestamp64Milli({${name}:Int64}, 'UTC'))`
  return await deps.storage.select<AttributeKeySeen>({
    name: 'traces.attribute-keys',
    tenant,
    sql: `SELECT key, level, arraySort(groupUniqArray(toString(kind))) AS kinds
FROM attribute_keys
WHERE tenant = {tenant:String}
  AND day BETWEEN ${day('startMs')} AND ${day('lastMs')}
  AND has({levels:Array(String)}, toString(level))
GROUP BY level, key
ORDER BY level, key
LIMIT {limit:UInt32}`,
    params: {
      startMs: storableDay(startMs),
      lastMs: storableDay(Math.ceil(endMs) - 1),
      levels: request.levels ?? ['span', 'resource'],
      limit: deps.limits.maxNames,
    },
    ...(signal === undefined ? {} : { signal }),
  })
}
