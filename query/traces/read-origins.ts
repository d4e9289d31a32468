import { decodeAttributes } from '../../model/any-value.ts'
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

/** Reads origins by id (32 hex digits). Throws what `Storage.select` throws. */
export async function readOrigins(
  deps: QueryDeps,
  request: {
    readonly tenant: string
    readonly ids: readonly string[]
    readonly signal?: AbortSignal | undefined
  },
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
