import { ArrayColumn } from '../native/array-column.ts'
import { type Block, createBlock } from '../native/block.ts'
import { FixedColumn } from '../native/fixed-column.ts'
import type { Interner } from '../native/interner.ts'
import { LowCardinalityColumn } from '../native/low-cardinality-column.ts'
import { StringColumn } from '../native/string-column.ts'

const float64 = () => new FixedColumn('Float64', 8)
const time = () => new FixedColumn("DateTime64(3, 'UTC')", 8)

/** The columns that both tables of samples share. */
function sampleHead(text: Interner) {
  return {
    tenant: new LowCardinalityColumn(text),
    metric: new LowCardinalityColumn(text),
    series: new FixedColumn('FixedString(16)', 16),
    ts: time(),
    start: time(),
  }
}

/** The columns of the tables of Prometheus' own samples, by their names there. `text` numbers strings. */
export function createSampleColumns(text: Interner) {
  return {
    samples: {
      ...sampleHead(text),
      value: float64(),
      is_stale: new FixedColumn('Bool', 1),
    },
    histograms: {
      ...sampleHead(text),
      reset_hint: new FixedColumn('UInt8', 1),
      schema: new FixedColumn('Int8', 1),
      zero_threshold: float64(),
      zero_count: float64(),
      count: float64(),
      sum: float64(),
      positive_offsets: new ArrayColumn('Int32', 4),
      positive_lengths: new ArrayColumn('UInt32', 4),
      positive_counts: new ArrayColumn('Float64', 8),
      negative_offsets: new ArrayColumn('Int32', 4),
      negative_lengths: new ArrayColumn('UInt32', 4),
      negative_counts: new ArrayColumn('Float64', 8),
      custom_values: new ArrayColumn('Float64', 8),
    },
    metadata: {
      tenant: new LowCardinalityColumn(text),
      name: new LowCardinalityColumn(text),
      day: new FixedColumn('Date', 2),
      type: new LowCardinalityColumn(text),
      unit: new LowCardinalityColumn(text),
      help: new StringColumn(),
      version: new FixedColumn('UInt64', 8),
    },
  }
}

/** Columns of the tables of samples in the making. */
export type SampleColumns = ReturnType<typeof createSampleColumns>

/** The blocks of those columns. */
export function createSampleBlocks(columns: SampleColumns): Block[] {
  return [
    createBlock('prom_samples', columns.samples),
    createBlock('prom_histograms', columns.histograms),
    createBlock('prom_metadata', columns.metadata),
  ]
}
