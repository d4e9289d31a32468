import { FixedColumn } from '../native/fixed-column.ts'
import type { Interner } from '../native/interner.ts'
import { LowCardinalityColumn } from '../native/low-cardinality-column.ts'
import { MapColumn } from '../native/map-column.ts'
import { StringColumn } from '../native/string-column.ts'

/** The columns of table `logs`, by their names there. `text` numbers strings, `binary` numbers origins. */
export function createLogColumns(text: Interner, binary: Interner) {
  return {
    tenant: new LowCardinalityColumn(text),
    ts: new FixedColumn("DateTime64(9, 'UTC')", 8),
    time_unix_nano: new FixedColumn('UInt64', 8),
    observed_time_unix_nano: new FixedColumn('UInt64', 8),
    trace_id: new FixedColumn('FixedString(16)', 16),
    span_id: new FixedColumn('FixedString(8)', 8),
    flags: new FixedColumn('UInt32', 4),
    severity_number: new FixedColumn('UInt8', 1),
    severity_text: new LowCardinalityColumn(text),
    origin: new LowCardinalityColumn(binary, 16),
    service: new LowCardinalityColumn(text),
    event_name: new LowCardinalityColumn(text),
    body: new StringColumn(),
    body_kind: new LowCardinalityColumn(text),
    attrs: new MapColumn(text),
    attr_kinds: new StringColumn(),
    dropped_attributes: new FixedColumn('UInt32', 4),
  }
}

/** Columns of table `logs` in the making. */
export type LogColumns = ReturnType<typeof createLogColumns>
