import { type Labels, labelPairs } from '../../model/labels.ts'
import type { Interner } from '../native/interner.ts'
import type { MetricColumns } from '../otlp/metric-blocks.ts'
import { pushValue } from '../otlp/metric-value.ts'
import type { TimeWindow } from '../otlp/time-window.ts'
import { FIXED64, VARINT, type WireReader } from '../otlp/wire-reader.ts'
import { HistogramReader, STALE_HIGH, STALE_LOW } from './histogram-reader.ts'
import type { SampleColumns } from './sample-blocks.ts'
import type { SampleSeriesRegistry } from './sample-series-registry.ts'
import type { WriteOutcome } from './write-outcome.ts'

/** What rows are written with. */
export interface SampleRowsParts {
  readonly reader: WireReader
  readonly text: Interner
  readonly series: SampleSeriesRegistry
  readonly columns: SampleColumns
  readonly exemplarColumns: MetricColumns['exemplars']
}

const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/
const SPAN_ID = /^(?!0+$)[0-9a-f]{16}$/
const NOTHING = Buffer.alloc(16)
const MAX_SHOWN = 200

/** Writes the samples, histograms and exemplars of one series after the other, as they are walked. */
export class SampleRows {
  readonly #parts: SampleRowsParts
  readonly #histogram: HistogramReader
  #tenantId = 0
  #window: TimeWindow = { fromMs: 0, toMs: 0, nowMs: 0 }
  #outcome: WriteOutcome
  #metricId = 0
  #idStart = 0
  #seriesStartMs = 0

  constructor(parts: SampleRowsParts, outcome: WriteOutcome) {
    this.#parts = parts
    this.#histogram = new HistogramReader(parts.reader)
    this.#outcome = outcome
  }

  /** Says whose message follows (number in `text`), which times are taken, and who counts. */
  begin(tenantId: number, window: TimeWindow, outcome: WriteOutcome): void {
    this.#tenantId = tenantId
    this.#window = window
    this.#outcome = outcome
  }

  /** Says of which series the following are; `startMs`: when its counter began to count, where a sample does not say it itself; 0: not known. */
  beginSeries(number: number, startMs: number): void {
    this.#metricId = this.#parts.series.metricId(number)
    this.#idStart = number * 16
    this.#seriesStartMs = startMs
  }

  /** Takes the `Sample` message from the reader's position to `end`. Throws MALFORMED_MESSAGE. */
  sample(end: number): void {
    const { reader } = this.#parts
    let valueLow = 0
    let valueHigh = 0
    let timeLow = 0
    let timeHigh = 0
    let startMs = 0
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 1 && reader.wireType === FIXED64) {
        reader.fixed64(end)
        valueLow = reader.low
        valueHigh = reader.high
      } else if (field === 2 && reader.wireType === VARINT) {
        reader.varint64(end)
        timeLow = reader.low
        timeHigh = reader.high
      } else if (field === 3 && reader.wireType === VARINT) {
        reader.varint64(end)
        startMs = signed(reader.low, reader.high)
      } else reader.skip(end, field)
    }
    if (!this.#isInTime(timeLow, timeHigh)) return
    const isStale = valueLow === STALE_LOW && valueHigh === STALE_HIGH
    this.#writeFloat(timeLow, timeHigh, startMs, valueLow, valueHigh, isStale)
    this.#outcome.accepted++
    this.#outcome.samples++
  }

  /** Takes the `Histogram` message from the reader's position to `end`. Throws MALFORMED_MESSAGE. */
  histogram(end: number): void {
    const histogram = this.#histogram
    histogram.read(end)
    const { timeLow, timeHigh, startMs } = histogram
    const problem = histogram.problem()
    if (problem !== null) {
      this.#outcome.refuse('histogram', 1, () => `a histogram of ${this.#metric()} ${problem}`)
      return
    }
    if (!this.#isInTime(timeLow, timeHigh)) return
    if (histogram.isStale) {
      this.#writeFloat(timeLow, timeHigh, startMs, histogram.sumLow, histogram.sumHigh, true)
    } else {
      const columns = this.#parts.columns.histograms
      this.#writeHead(columns, timeLow, timeHigh, startMs)
      histogram.write(columns)
    }
    this.#outcome.accepted++
    this.#outcome.histograms++
  }

  /**
   * Writes an exemplar. Its ids of trace and span have columns of their own where they are ids. One without a time gets the time of receipt; one
   * that is too old, or too far ahead, is left out.
   */
  exemplar(labels: Labels, valueLow: number, valueHigh: number, timeMs: number): void {
    const { fromMs, toMs, nowMs } = this.#window
    const atMs = timeMs === 0 ? nowMs : timeMs
    if (atMs < fromMs || atMs > toMs) return
    const { text, exemplarColumns: columns, series } = this.#parts
    const nanoseconds = BigInt(atMs) * 1_000_000n
    const low = Number(nanoseconds & 0xffffffffn)
    const high = Number(nanoseconds >> 32n)
    columns.tenant.push(this.#tenantId)
    columns.metric.push(this.#metricId)
    columns.series.pushFrom(series.ids, this.#idStart)
    columns.point_ts.pushUint64(low, high)
    columns.ts.pushUint64(low, high)
    pushValue(columns, text, 'd', valueLow, valueHigh)
    let traceId: Uint8Array = NOTHING
    let spanId: Uint8Array = NOTHING
    for (const [name, value] of labelPairs(labels)) {
      if (name === 'trace_id' && TRACE_ID.test(value)) traceId = Buffer.from(value, 'hex')
      else if (name === 'span_id' && SPAN_ID.test(value)) spanId = Buffer.from(value, 'hex')
      else {
        columns.attrs.keys.push(text.internText(name))
        columns.attrs.values.pushText(value)
      }
    }
    columns.trace_id.pushFrom(traceId, 0)
    columns.span_id.pushFrom(spanId, 0)
    columns.attrs.endRow()
    columns.attr_kinds.pushEmpty()
    this.#outcome.exemplars++
  }

  #writeFloat(
    timeLow: number,
    timeHigh: number,
    startMs: number,
    valueLow: number,
    valueHigh: number,
    isStale: boolean,
  ): void {
    const columns = this.#parts.columns.samples
    this.#writeHead(columns, timeLow, timeHigh, startMs)
    columns.value.pushUint64(valueLow, valueHigh)
    columns.is_stale.pushUint8(isStale ? 1 : 0)
  }

  #writeHead(
    columns: Pick<SampleColumns['samples'], 'tenant' | 'metric' | 'series' | 'ts' | 'start'>,
    timeLow: number,
    timeHigh: number,
    ownStartMs: number,
  ): void {
    const startMs = ownStartMs === 0 ? this.#seriesStartMs : ownStartMs
    columns.tenant.push(this.#tenantId)
    columns.metric.push(this.#metricId)
    columns.series.pushFrom(this.#parts.series.ids, this.#idStart)
    columns.ts.pushUint64(timeLow, timeHigh)
    // A counter that begins after its sample is a mistake: it counts as not said.
    if (startMs > 0 && startMs <= signed(timeLow, timeHigh)) {
      columns.start.pushUint64(startMs % 0x100000000, Math.floor(startMs / 0x100000000))
    } else columns.start.pushUint64(0, 0)
  }

  #isInTime(low: number, high: number): boolean {
    const { fromMs, toMs } = this.#window
    const ms = signed(low, high)
    if (ms >= fromMs && ms <= toMs) return true
    const reason = ms < fromMs ? 'too_old' : 'in_future'
    this.#outcome.refuse(reason, 1, () => `a sample of ${this.#metric()} at ${ms} ms`)
    return false
  }

  #metric(): string {
    return this.#parts.text.text(this.#metricId).slice(0, MAX_SHOWN)
  }
}

/** An int64, as its nearest double. */
export function signed(low: number, high: number): number {
  return (high | 0) * 0x100000000 + low
}
