import type { QueryDeps } from '../query-deps.ts'
import { bindAttribute, originAttribute } from './attribute-conditions.ts'
import type { AttributeEquals } from './trace-filter.ts'

/**
 * Tells for each attribute whether any resource seen since a day before `startMs` has it.
 * Throws what `Storage.select` throws.
 */
export async function findResourceAttributes(
  deps: QueryDeps,
  request: {
    readonly tenant: string
    readonly attributes: readonly AttributeEquals[]
    readonly startMs: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<boolean[]> {
  const { tenant, attributes, startMs, signal } = request
  if (attributes.length === 0) return []
  const params = Object.assign(
    {},
    ...attributes.map((attribute, index) => bindAttribute(`a${index}`, attribute)),
  )
  const hits = attributes.map((attribute, index) => `max(${originAttribute(`a${index}`, attribute)})`)
  const rows = await deps.storage.select<{ hits: (number | boolean)[] }>({
    name: 'traces.find-resource-attributes',
    tenant,
    // The day is the day of receipt: not before the telemetry, but for clocks that differ.
    sql: `SELECT [${hits.join(', ')}] AS hits
FROM origins
WHERE tenant = {tenant:String}
  AND day >= toDate(fromUnixTimestamp64Milli({startMs:Int64}, 'UTC')) - 1`,
    params: { ...params, startMs: Math.max(0, Math.floor(startMs)) },
    ...(signal === undefined ? {} : { signal }),
  })
  const found = rows[0]?.hits ?? []
  return attributes.map((_, index) => Boolean(found[index]))
}
