import { type Labels, labelPairs, METRIC_NAME } from '../../model/labels.ts'
import type { Interner } from '../native/interner.ts'
import type { MetricColumns } from '../otlp/metric-blocks.ts'

/** The number of series whose samples are Prometheus' own in the column `kind`. */
const KIND_SAMPLE = 6

/** A series as it stands in `prom_series`. */
export interface SampleSeriesRow {
  /** Numbers in the interner. */
  readonly tenantId: number
  readonly nameId: number
  /** The id is 16 of these bytes, from `idStart` on. */
  readonly ids: Uint8Array
  readonly idStart: number
  /** Days since the epoch. */
  readonly day: number
  /** With or without the name. */
  readonly labels: Labels
}

/** Writes a row of `prom_series` for a series whose samples are Prometheus' own. */
export function pushSampleSeries(
  columns: MetricColumns['promSeries'],
  text: Interner,
  { tenantId, nameId, ids, idStart, day, labels }: SampleSeriesRow,
): void {
  columns.tenant.push(tenantId)
  columns.name.push(nameId)
  columns.id.pushFrom(ids, idStart)
  columns.day.pushUint16(day)
  columns.kind.pushUint8(KIND_SAMPLE)
  columns.temporality.pushUint8(0)
  columns.is_monotonic.pushUint8(0)
  columns.metric.push(nameId)
  columns.unit.push(0)
  columns.description.pushEmpty()
  for (const [label, value] of labelPairs(labels)) {
    if (label === METRIC_NAME) continue
    columns.labels.keys.push(text.internText(label))
    columns.labels.values.pushText(value)
  }
  columns.labels.endRow()
}
