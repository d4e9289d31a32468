import { FixedColumn } from '../native/fixed-column.ts'
import type { Interner } from '../native/interner.ts'
import { LowCardinalityColumn } from '../native/low-cardinality-column.ts'
import { MapColumn } from '../native/map-column.ts'
import { StringColumn } from '../native/string-column.ts'

const KIND_TYPE =
  "Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5)"
const STATUS_TYPE = "Enum8('unset' = 0, 'ok' = 1, 'error' = 2)"

/** The columns of table `spans`, by their names there. `text` numbers strings, `binary` numbers origins. */
export function createSpanColumns(text: Interner, binary: Interner) {
  return {
    tenant: new LowCardinalityColumn(text),
    ts: new FixedColumn("DateTime64(9, 'UTC')", 8),
    trace_id: new FixedColumn('FixedString(16)', 16),
    span_id: new FixedColumn('FixedString(8)', 8),
    parent_span_id: new FixedColumn('FixedString(8)', 8),
    trace_state: new StringColumn(),
    flags: new FixedColumn('UInt32', 4),
    origin: new LowCardinalityColumn(binary, 16),
    service: new LowCardinalityColumn(text),
    name: new LowCardinalityColumn(text),
    kind: new FixedColumn(KIND_TYPE, 1),
    duration_ns: new FixedColumn('Int64', 8),
    status_code: new FixedColumn(STATUS_TYPE, 1),
    status_message: new StringColumn(),
    is_error: new FixedColumn('Bool', 1),
    http_status: new FixedColumn('UInt16', 2),
    http_method: new LowCardinalityColumn(text),
    grpc_status: new FixedColumn('Int16', 2),
    response_flags: new LowCardinalityColumn(text),
    retry_attempt: new FixedColumn('UInt16', 2),
    upstream: new LowCardinalityColumn(text),
    upstream_cluster: new LowCardinalityColumn(text),
    upstream_endpoint: new LowCardinalityColumn(text),
    attrs: new MapColumn(text),
    attr_kinds: new StringColumn(),
    events: new StringColumn(),
    links: new StringColumn(),
    dropped_attributes: new FixedColumn('UInt32', 4),
    dropped_events: new FixedColumn('UInt32', 4),
    dropped_links: new FixedColumn('UInt32', 4),
  }
}

/** Columns of table `spans` in the making. */
export type SpanColumns = ReturnType<typeof createSpanColumns>
