import { ArrayColumn } from '../native/array-column.ts'
import { type Block, createBlock } from '../native/block.ts'
import { FixedColumn } from '../native/fixed-column.ts'
import type { Interner } from '../native/interner.ts'
import { LowCardinalityColumn } from '../native/low-cardinality-column.ts'
import { MapColumn } from '../native/map-column.ts'
import { StringColumn } from '../native/string-column.ts'

const TYPE_TYPE = "Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5)"
const KIND_TYPE = TYPE_TYPE.replace(')', ", 'sample' = 6)")
const TEMPORALITY_TYPE = "Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2)"
const TIME_TYPE = "DateTime64(9, 'UTC')"

const float64 = () => new FixedColumn('Float64', 8)
const uint64 = () => new FixedColumn('UInt64', 8)
const time = () => new FixedColumn(TIME_TYPE, 8)
const id16 = () => new FixedColumn('FixedString(16)', 16)

/** The columns that all tables of data points share. */
function pointHead(text: Interner) {
  return {
    tenant: new LowCardinalityColumn(text),
    metric: new LowCardinalityColumn(text),
    series: id16(),
    ts: time(),
    start: time(),
    flags: new FixedColumn('UInt32', 4),
  }
}

/** The columns of the tables of metrics, by their names there. `text` numbers strings, `binary` numbers origins. */
export function createMetricColumns(text: Interner, binary: Interner) {
  return {
    series: {
      tenant: new LowCardinalityColumn(text),
      metric: new LowCardinalityColumn(text),
      id: id16(),
      day: new FixedColumn('Date', 2),
      type: new FixedColumn(TYPE_TYPE, 1),
      temporality: new FixedColumn(TEMPORALITY_TYPE, 1),
      is_monotonic: new FixedColumn('Bool', 1),
      unit: new LowCardinalityColumn(text),
      description: new StringColumn(),
      metadata: new MapColumn(text),
      metadata_kinds: new StringColumn(),
      origin: new LowCardinalityColumn(binary, 16),
      service: new LowCardinalityColumn(text),
      attrs: new MapColumn(text),
      attr_kinds: new StringColumn(),
    },
    promSeries: {
      tenant: new LowCardinalityColumn(text),
      name: new LowCardinalityColumn(text),
      id: id16(),
      day: new FixedColumn('Date', 2),
      kind: new FixedColumn(KIND_TYPE, 1),
      temporality: new FixedColumn(TEMPORALITY_TYPE, 1),
      is_monotonic: new FixedColumn('Bool', 1),
      metric: new LowCardinalityColumn(text),
      unit: new LowCardinalityColumn(text),
      description: new StringColumn(),
      labels: new MapColumn(text),
    },
    points: {
      ...pointHead(text),
      value_kind: new LowCardinalityColumn(text),
      value: float64(),
      int_value: new FixedColumn('Int64', 8),
    },
    histograms: {
      ...pointHead(text),
      present: new FixedColumn('UInt8', 1),
      count: uint64(),
      sum: float64(),
      min: float64(),
      max: float64(),
      bounds: new ArrayColumn('Float64', 8),
      counts: new ArrayColumn('UInt64', 8),
    },
    exponentialHistograms: {
      ...pointHead(text),
      present: new FixedColumn('UInt8', 1),
      count: uint64(),
      sum: float64(),
      min: float64(),
      max: float64(),
      scale: new FixedColumn('Int32', 4),
      zero_count: uint64(),
      zero_threshold: float64(),
      positive_offset: new FixedColumn('Int32', 4),
      positive_counts: new ArrayColumn('UInt64', 8),
      negative_offset: new FixedColumn('Int32', 4),
      negative_counts: new ArrayColumn('UInt64', 8),
    },
    summaries: {
      ...pointHead(text),
      count: uint64(),
      sum: float64(),
      quantiles: new ArrayColumn('Float64', 8),
      quantile_values: new ArrayColumn('Float64', 8),
    },
    exemplars: {
      tenant: new LowCardinalityColumn(text),
      metric: new LowCardinalityColumn(text),
      series: id16(),
      point_ts: time(),
      ts: time(),
      value_kind: new LowCardinalityColumn(text),
      value: float64(),
      int_value: new FixedColumn('Int64', 8),
      trace_id: id16(),
      span_id: new FixedColumn('FixedString(8)', 8),
      attrs: new MapColumn(text),
      attr_kinds: new StringColumn(),
    },
  }
}

/** Columns of the tables of metrics in the making. */
export type MetricColumns = ReturnType<typeof createMetricColumns>

/** The blocks of those columns; series before the points that refer to them. */
export function createMetricBlocks(columns: MetricColumns): Block[] {
  return [
    createBlock('metric_series', columns.series),
    createBlock('prom_series', columns.promSeries),
    createBlock('otlp_points', columns.points),
    createBlock('otlp_histograms', columns.histograms),
    createBlock('otlp_exponential_histograms', columns.exponentialHistograms),
    createBlock('otlp_summaries', columns.summaries),
    createBlock('metric_exemplars', columns.exemplars),
  ]
}
