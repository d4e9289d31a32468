import { decodeAttributes } from '../../model/any-value.ts'
import type { Storage } from '../../storage/storage.ts'
import type { QueryDeps } from '../query-deps.ts'
import type { Resource, Scope } from './trace.ts'

/** What telemetry belongs to. */
export interface Origin {
  readonly resource: Resource
  readonly scope: Scope
}

/** What stands for an origin that is not stored (any more). */
export const UNKNOWN_ORIGIN: Origin = {
  resource: { attributes: [], droppedAttributesCount: 0, schemaUrl: '' },
  scope: { name: '', version: '', attributes: [], droppedAttributesCount: 0, schemaUrl: '' },
}

/**
 * Origins read before, the most recently used last. An id is the hash of what it stands for, so they never change; a trace
 * is read in two thirds of the time without asking for them.
 */
const known = new WeakMap<Storage, Map<string, Origin>>()

const MAX_KNOWN = 5_000

/** Reads origins by id (32 hex digits); ids that are not stored are left out. Throws what `Storage.select` throws. */
export async function readOrigins(
  deps: QueryDeps,
  request: {
    readonly tenant: string
    readonly ids: readonly string[]
    readonly signal?: AbortSignal | undefined
  },
): Promise<Map<string, Origin>> {
  const cache = known.get(deps.storage) ?? new Map<string, Origin>()
  known.set(deps.storage, cache)
  const missing = request.ids.filter((id) => !cache.has(`${id} ${request.tenant}`))
  const read = await askOrigins(deps, { ...request, ids: missing })
  const origins = new Map<string, Origin>()
  for (const id of request.ids) {
    const key = `${id} ${request.tenant}`
    const origin = read.get(id) ?? cache.get(key)
    if (origin === undefined) continue
    origins.set(id, origin)
    cache.delete(key)
    cache.set(key, origin)
  }
  for (const key of cache.keys()) {
    if (cache.size <= MAX_KNOWN) break
    cache.delete(key)
  }
  return origins
}

async function askOrigins(
  deps: QueryDeps,
  request: Parameters<typeof readOrigins>[1],
): Promise<Map<string, Origin>> {
  const { tenant, ids, signal } = request
  if (ids.length === 0) return new Map()
  const rows = await deps.storage.select<Row>({
    name: 'traces.origins',
    tenant,
    sql: `SELECT
  lower(hex(id)) AS originId,
  CAST(resource_attrs, 'Array(Tuple(String, String))') AS resourceAttrs,
  resource_attr_kinds AS resourceKinds,
  resource_dropped_attributes AS resourceDropped,
  resource_schema_url AS resourceSchemaUrl,
  scope_name AS scopeName,
  scope_version AS scopeVersion,
  CAST(scope_attrs, 'Array(Tuple(String, String))') AS scopeAttrs,
  scope_attr_kinds AS scopeKinds,
  scope_dropped_attributes AS scopeDropped,
  scope_schema_url AS scopeSchemaUrl
FROM origins
WHERE tenant = {tenant:String}
  AND id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))
LIMIT 1 BY id`,
    // A few granules: sharing them out among threads takes longer than reading them.
    settings: { max_threads: 1 },
    params: { ids },
    ...(signal === undefined ? {} : { signal }),
  })
  return new Map(rows.map((row) => [row.originId, decode(row)]))
}

interface Row {
  readonly originId: string
  readonly resourceAttrs: readonly [string, string][]
  readonly resourceKinds: string
  readonly resourceDropped: number
  readonly resourceSchemaUrl: string
  readonly scopeName: string
  readonly scopeVersion: string
  readonly scopeAttrs: readonly [string, string][]
  readonly scopeKinds: string
  readonly scopeDropped: number
  readonly scopeSchemaUrl: string
}

function decode(row: Row): Origin {
  return {
    resource: {
      attributes: decodeAttributes(row.resourceAttrs, row.resourceKinds),
      droppedAttributesCount: row.resourceDropped,
      schemaUrl: row.resourceSchemaUrl,
    },
    scope: {
      name: row.scopeName,
      version: row.scopeVersion,
      attributes: decodeAttributes(row.scopeAttrs, row.scopeKinds),
      droppedAttributesCount: row.scopeDropped,
      schemaUrl: row.scopeSchemaUrl,
    },
  }
}
