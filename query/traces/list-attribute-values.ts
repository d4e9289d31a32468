import type { QueryDeps } from '../query-deps.ts'
import { allOf, storableDay, timeRange } from './bound-sql.ts'
import { sharedConditions } from './span-conditions.ts'

/** Which attribute, range and service, for whom. Epoch milliseconds, end exclusive. */
export interface ListAttributeValuesRequest {
  readonly tenant: string
  readonly key: string
  /** Absent: both. */
  readonly level?: 'span' | 'resource' | undefined
  readonly service?: string | undefined
  readonly startMs: number
  readonly endMs: number
  /** Most values to return; default and bound: `QueryLimits.maxNames`. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A value of an attribute, as its stored text, with the letter of its kind (see `AttributeKind`). */
export interface AttributeValueSeen {
  readonly value: string
  readonly kind: string
  /** How often it occurs in what was looked at: spans, and origins (processes) for resource attributes. */
  readonly count: number
}

/** Spans that are looked at. */
const MAX_SPANS = 200_000

/**
 * Lists values of an attribute, the most frequent first. Of the spans, looks at the newest 200,000 in the range only:
 * a suggestion, not a census. Resource attributes are those of origins seen since a day before the range.
 * Throws what `Storage.select` throws.
 */
export async function listAttributeValues(
  deps: QueryDeps,
  request: ListAttributeValuesRequest,
): Promise<AttributeValueSeen[]> {
  const levels = request.level === undefined ? (['span', 'resource'] as const) : [request.level]
  const lists = await Promise.all(
    levels.map((level) => (level === 'span' ? spanValues(deps, request) : resourceValues(deps, request))),
  )
  const sums = new Map<string, AttributeValueSeen>()
  for (const seen of lists.flat()) {
    const id = `${seen.kind} ${seen.value}`
    sums.set(id, { ...seen, count: seen.count + (sums.get(id)?.count ?? 0) })
  }
  return [...sums.values()]
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, limitOf(deps, request))
}

function limitOf(deps: QueryDeps, request: ListAttributeValuesRequest): number {
  return Math.max(1, Math.min(request.limit ?? deps.limits.maxNames, deps.limits.maxNames))
}

function spanValues(deps: QueryDeps, request: ListAttributeValuesRequest): Promise<AttributeValueSeen[]> {
  const { startMs, endMs } = request
  const range = timeRange(
    BigInt(Math.floor(startMs * 1000)) * 1000n,
    BigInt(Math.floor(endMs * 1000)) * 1000n - 1n,
  )
  const where = allOf([range, sharedConditions({ service: request.service })])
  return ask(deps, request, 'traces.span-attribute-values', {
    ...where,
    sql: `SELECT attrs, attr_kinds AS kinds
  FROM spans
  WHERE tenant = {tenant:String}
    AND ${where.sql}
    AND mapContains(attrs, {key:String})
  ORDER BY toStartOfFiveMinutes(ts) DESC
  LIMIT ${MAX_SPANS}`,
  })
}

function resourceValues(deps: QueryDeps, request: ListAttributeValuesRequest): Promise<AttributeValueSeen[]> {
  const where = sharedConditions({ service: request.service })
  return ask(deps, request, 'traces.resource-attribute-values', {
    params: { ...where.params, startMs: storableDay(request.startMs) },
    sql: `SELECT resource_attrs AS attrs, resource_attr_kinds AS kinds
  FROM origins
  WHERE tenant = {tenant:String}
    AND day >= toDate(fromUnixTimestamp64Milli({startMs:Int64}, 'UTC')) - 1
    AND ${where.sql}
    AND mapContains(resource_attrs, {key:String})
  LIMIT 1 BY id`,
  })
}

async function ask(
  deps: QueryDeps,
  request: ListAttributeValuesRequest,
  name: string,
  source: ReturnType<typeof allOf>,
): Promise<AttributeValueSeen[]> {
  const { tenant, key, signal } = request
  const rows = await deps.storage.select<{ value: string; kind: string; seen: string }>({
    name,
    tenant,
    sql: `SELECT
  attrs[{key:String}] AS value,
  if(kinds = '', 's', substring(kinds, indexOf(mapKeys(attrs), {key:String}), 1)) AS kind,
  toString(count()) AS seen
FROM (
  ${source.sql}
)
GROUP BY value, kind
ORDER BY count() DESC, value
LIMIT {limit:UInt32}`,
    params: { ...source.params, key, limit: limitOf(deps, request) },
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.map(({ value, kind, seen }) => ({ value, kind, count: Number(seen) }))
}
