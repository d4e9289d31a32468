import { FixedColumn } from '../native/fixed-column.ts'
import type { Interner } from '../native/interner.ts'
import { LowCardinalityColumn } from '../native/low-cardinality-column.ts'
import { MapColumn } from '../native/map-column.ts'
import { StringColumn } from '../native/string-column.ts'

const LEVEL_TYPE = "Enum8('span' = 1, 'resource' = 2, 'scope' = 3, 'log' = 4, 'metric' = 5)"

/** The columns of table `origins`, by their names there. */
export function createOriginColumns(text: Interner) {
  return {
    tenant: new LowCardinalityColumn(text),
    id: new FixedColumn('FixedString(16)', 16),
    day: new FixedColumn('Date', 2),
    service: new LowCardinalityColumn(text),
    resource_attrs: new MapColumn(text),
    resource_attr_kinds: new StringColumn(),
    resource_dropped_attributes: new FixedColumn('UInt32', 4),
    resource_schema_url: new LowCardinalityColumn(text),
    scope_name: new LowCardinalityColumn(text),
    scope_version: new LowCardinalityColumn(text),
    scope_attrs: new MapColumn(text),
    scope_attr_kinds: new StringColumn(),
    scope_dropped_attributes: new FixedColumn('UInt32', 4),
    scope_schema_url: new LowCardinalityColumn(text),
  }
}

/** Columns of table `origins` in the making. */
export type OriginColumns = ReturnType<typeof createOriginColumns>

/** The columns of table `attribute_keys`, by their names there. */
export function createAttributeKeyColumns(text: Interner) {
  return {
    tenant: new LowCardinalityColumn(text),
    day: new FixedColumn('Date', 2),
    level: new FixedColumn(LEVEL_TYPE, 1),
    key: new LowCardinalityColumn(text),
    kind: new LowCardinalityColumn(text),
  }
}

/** Columns of table `attribute_keys` in the making. */
export type AttributeKeyColumns = ReturnType<typeof createAttributeKeyColumns>
