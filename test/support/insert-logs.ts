import type { AnyValue, KeyValue } from '../../model/any-value.ts'
import type { Resource, Scope } from '../../query/traces/trace.ts'
import type { Storage } from '../../storage/storage.ts'
import { insertColumns, insertOrigins, originId } from './insert-origins.ts'
import { storedAttributes, storedValue } from './stored-attributes.ts'

/** A log record to store; what is left out is empty. */
export interface TestLog {
  readonly tenant?: string
  readonly timeUnixNano: bigint
  readonly service: string
  readonly traceId?: string
  readonly spanId?: string
  readonly severityNumber?: number
  readonly severityText?: string
  readonly eventName?: string
  readonly body?: AnyValue
  readonly attributes?: readonly KeyValue[]
  readonly resource?: Partial<Resource>
  readonly scope?: Partial<Scope>
}

/** Stores log records as ingest does, with their origins. */
export async function insertLogs(storage: Storage, logs: readonly TestLog[]): Promise<void> {
  const rows = logs.map((log) => ({
    log,
    attributes: storedAttributes(log.attributes ?? []),
    body: storedValue(log.body ?? {}),
    origin: {
      tenant: log.tenant ?? 'default',
      service: log.service,
      resource: log.resource,
      scope: log.scope,
      timeUnixNano: log.timeUnixNano,
    },
  }))
  const column = (name: string, type: string, value: (row: (typeof rows)[number]) => unknown) => ({
    name,
    type,
    values: rows.map(value),
  })
  await insertOrigins(
    storage,
    rows.map((row) => row.origin),
  )
  await insertColumns(storage, 'logs', [
    column('tenant', 'String', (row) => row.origin.tenant),
    column('ts', "DateTime64(9, 'UTC')", ({ log }) => log.timeUnixNano),
    column('time_unix_nano', 'UInt64', ({ log }) => log.timeUnixNano),
    column('observed_time_unix_nano', 'UInt64', ({ log }) => log.timeUnixNano),
    column('trace_id', 'FixedString(16)', ({ log }) => log.traceId ?? ''),
    column('span_id', 'FixedString(8)', ({ log }) => log.spanId ?? ''),
    column('flags', 'UInt32', () => 0),
    column('severity_number', 'UInt8', ({ log }) => log.severityNumber ?? 0),
    column('severity_text', 'String', ({ log }) => log.severityText ?? ''),
    column('origin', 'FixedString(16)', (row) => originId(row.origin)),
    column('service', 'String', ({ log }) => log.service),
    column('event_name', 'String', ({ log }) => log.eventName ?? ''),
    column('body', 'String', (row) => row.body.text),
    column('body_kind', 'String', (row) => row.body.kind),
    column('attrs', 'Map(String, String)', (row) => row.attributes.pairs),
    column('attr_kinds', 'String', (row) => row.attributes.kinds),
    column('dropped_attributes', 'UInt32', () => 0),
  ])
}
