import { createHash } from 'node:crypto'
import type { Resource, Scope } from '../../query/traces/trace.ts'
import type { Storage } from '../../storage/storage.ts'
import { nativeBlock, type TestColumn } from './native-block.ts'
import { storedAttributes } from './stored-attributes.ts'

/** What a test row belongs to; what is left out is empty. */
export interface TestOrigin {
  readonly tenant: string
  readonly service: string
  readonly resource?: Partial<Resource> | undefined
  readonly scope?: Partial<Scope> | undefined
  /** Nanoseconds; the day the row is stored under. */
  readonly timeUnixNano: bigint
}

const NANOS_PER_DAY = 86_400_000_000_000n

/** The id (hex) of an origin: rows with the same resource and scope share it. */
export function originId(origin: TestOrigin): string {
  const { resource, scope } = origin
  const form = JSON.stringify([origin.service, resource ?? null, scope ?? null])
  return createHash('sha256').update(form).digest('hex').slice(0, 32)
}

/** Stores the origins of test rows. `service.name` is put in front of the resource's attributes when it is missing. */
export async function insertOrigins(storage: Storage, origins: readonly TestOrigin[]): Promise<void> {
  const distinct = [
    ...new Map(
      origins.map((o) => [`${o.tenant} ${originId(o)} ${o.timeUnixNano / NANOS_PER_DAY}`, o]),
    ).values(),
  ]
  const resources = distinct.map((o) => storedAttributes(withServiceName(o)))
  const scopes = distinct.map((o) => storedAttributes(o.scope?.attributes ?? []))
  const column = (name: string, type: string, values: readonly unknown[]): TestColumn => ({
    name,
    type,
    values,
  })
  await insertColumns(storage, 'origins', [
    column(
      'tenant',
      'String',
      distinct.map((o) => o.tenant),
    ),
    column('id', 'FixedString(16)', distinct.map(originId)),
    column(
      'day',
      'Date',
      distinct.map((o) => o.timeUnixNano / NANOS_PER_DAY),
    ),
    column(
      'service',
      'String',
      distinct.map((o) => o.service),
    ),
    column(
      'resource_attrs',
      'Map(String, String)',
      resources.map((r) => r.pairs),
    ),
    column(
      'resource_attr_kinds',
      'String',
      resources.map((r) => r.kinds),
    ),
    column(
      'resource_dropped_attributes',
      'UInt32',
      distinct.map((o) => o.resource?.droppedAttributesCount ?? 0),
    ),
    column(
      'resource_schema_url',
      'String',
      distinct.map((o) => o.resource?.schemaUrl ?? ''),
    ),
    column(
      'scope_name',
      'String',
      distinct.map((o) => o.scope?.name ?? ''),
    ),
    column(
      'scope_version',
      'String',
      distinct.map((o) => o.scope?.version ?? ''),
    ),
    column(
      'scope_attrs',
      'Map(String, String)',
      scopes.map((s) => s.pairs),
    ),
    column(
      'scope_attr_kinds',
      'String',
      scopes.map((s) => s.kinds),
    ),
    column(
      'scope_dropped_attributes',
      'UInt32',
      distinct.map((o) => o.scope?.droppedAttributesCount ?? 0),
    ),
    column(
      'scope_schema_url',
      'String',
      distinct.map((o) => o.scope?.schemaUrl ?? ''),
    ),
  ])
}

let inserts = 0

/** Inserts test columns as one Native block. */
export async function insertColumns(
  storage: Storage,
  table: Parameters<Storage['insertNative']>[0]['table'],
  columns: readonly TestColumn[],
): Promise<void> {
  inserts += 1
  await storage.insertNative({
    table,
    columns: columns.map(({ name, type }) => ({ name, type })),
    blocks: [nativeBlock(columns)],
    rows: columns[0]?.values.length ?? 0,
    deduplicationToken: `test-${process.pid}-${inserts}`,
  })
}

function withServiceName(origin: TestOrigin): Resource['attributes'] {
  const attributes = origin.resource?.attributes ?? []
  if (attributes.some(({ key }) => key === 'service.name')) return attributes
  return [{ key: 'service.name', value: { stringValue: origin.service } }, ...attributes]
}
