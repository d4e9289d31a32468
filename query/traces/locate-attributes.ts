import type { QueryDeps } from '../query-deps.ts'
import { type AttributePlace, bindAttribute, originAttribute } from './attribute-conditions.ts'
import { storableDay } from './bound-sql.ts'
import type { AttributeEquals } from './trace-filter.ts'

/** Which attributes are looked for, on rows of which kind, since when. */
export interface LocateAttributesRequest {
  readonly tenant: string
  readonly attributes: readonly AttributeEquals[]
  /** What the rows are: the level of their own attributes. */
  readonly level: 'span' | 'log'
  /** Epoch milliseconds; what was received since a day before counts. */
  readonly startMs: number
  readonly signal?: AbortSignal | undefined
}

/** Ingest lists at most 10,000 keys a day; from there on, a key that is not listed may occur all the same. */
const MAX_LISTED_KEYS = 10_000

/**
 * Tells for each attribute where a search must look: most attributes occur only on the rows or only in resources, and
 * asking for both costs an order of magnitude, because then neither the index over the rows' values nor the set of origins
 * decides alone. In doubt it is both. Throws what `Storage.select` throws.
 */
export async function locateAttributes(
  deps: QueryDeps,
  request: LocateAttributesRequest,
): Promise<AttributePlace[]> {
  const { attributes } = request
  if (attributes.length === 0) return []
  const isInResource = await askOrigins(deps, request)
  if (!isInResource.includes(true)) return attributes.map(() => 'own')
  const ownKeys = await askKeys(deps, request)
  return attributes.map(({ key }, index) => {
    if (!isInResource[index]) return 'own'
    return ownKeys === null || ownKeys.has(key) ? 'both' : 'resource'
  })
}

async function askOrigins(deps: QueryDeps, request: LocateAttributesRequest): Promise<boolean[]> {
  const { tenant, attributes, startMs, signal } = request
  const params = Object.assign(
    {},
    ...attributes.map((attribute, index) => bindAttribute(`a${index}`, attribute)),
  )
  const hits = attributes.map((attribute, index) => `max(${originAttribute(`a${index}`, attribute)})`)
  const rows = await deps.storage.select<{ hits: (number | boolean)[] }>({
    name: 'traces.locate-in-resources',
    tenant,
    // The day is the day of receipt: not before the telemetry, but for clocks that differ.
    sql: `SELECT [${hits.join(', ')}] AS hits
FROM origins
WHERE tenant = {tenant:String}
  AND day >= toDate(fromUnixTimestamp64Milli({startMs:Int64}, 'UTC')) - 1`,
    params: { ...params, startMs: storableDay(startMs) },
    ...(signal === undefined ? {} : { signal }),
  })
  const found = rows[0]?.hits ?? []
  return attributes.map((_, index) => Boolean(found[index]))
}

/** Those of the keys that occur on the rows; null when the list of keys is not complete. */
async function askKeys(deps: QueryDeps, request: LocateAttributesRequest): Promise<Set<string> | null> {
  const { tenant, attributes, level, startMs, signal } = request
  const rows = await deps.storage.select<{ found: string[]; listed: string }>({
    name: 'traces.locate-on-rows',
    tenant,
    sql: `SELECT
  groupUniqArrayIf(key, level = {level:String} AND has({keys:Array(String)}, key)) AS found,
  toString(count()) AS listed
FROM attribute_keys
WHERE tenant = {tenant:String}
  AND day >= toDate(fromUnixTimestamp64Milli({startMs:Int64}, 'UTC')) - 1`,
    params: {
      keys: attributes.map(({ key }) => key),
      level,
      startMs: storableDay(startMs),
    },
    ...(signal === undefined ? {} : { signal }),
  })
  const [row] = rows
  return row === undefined || Number(row.listed) >= MAX_LISTED_KEYS ? null : new Set(row.found)
}
