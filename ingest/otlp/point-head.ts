import type { Interner } from '../native/interner.ts'
import type { RejectReason } from './decode-outcome.ts'
import type { DecoderParts } from './decode-traces.ts'
import type { ExemplarList } from './exemplar-list.ts'
import type { MetricColumns } from './metric-blocks.ts'
import {
  SERIES_BEYOND_LIMIT,
  SERIES_TOO_DEEP,
  SERIES_TOO_WIDE,
  type SeriesRegistry,
} from './series-registry.ts'
import { checkTime, type TimeWindow } from './time-window.ts'
import { FIXED64, LENGTH_DELIMITED, VARINT, type WireReader } from './wire-reader.ts'

/** Where a kind of data point has what all kinds have: field numbers. Start is 2 and time 3 in all; 0: has none. */
export interface PointFields {
  readonly attributes: number
  readonly flags: number
  readonly exemplars: number
}

type HeadColumns = Pick<MetricColumns['points'], 'tenant' | 'metric' | 'series' | 'ts' | 'start' | 'flags'>

/** What all kinds of data points have in common: attributes, times, flags, exemplars. */
export class PointHead {
  readonly reader: WireReader
  readonly text: Interner
  readonly #series: SeriesRegistry
  readonly #exemplars: ExemplarList
  #fields: PointFields = { attributes: 0, flags: 0, exemplars: 0 }
  #startLow = 0
  #startHigh = 0
  #timeLow = 0
  #timeHigh = 0
  #flags = 0
  #tenantId = 0
  #metricId = 0
  #seriesNumber = 0
  #latestLow = 0
  #latestHigh = 0

  constructor(parts: DecoderParts, series: SeriesRegistry, exemplars: ExemplarList) {
    this.reader = parts.reader
    this.text = parts.text
    this.#series = series
    this.#exemplars = exemplars
  }

  /** Says whose the following points are; interner numbers. */
  beginMetric(tenantId: number, metricId: number): void {
    this.#tenantId = tenantId
    this.#metricId = metricId
    this.#latestLow = this.#latestHigh = 0
  }

  /** The time of the metric's latest point that was written, nanoseconds since the epoch; 0: none was. */
  latest(): bigint {
    return (BigInt(this.#latestHigh) << 32n) | BigInt(this.#latestLow)
  }

  /** Starts with nothing. */
  begin(fields: PointFields): void {
    this.#fields = fields
    this.#startLow = this.#startHigh = this.#timeLow = this.#timeHigh = this.#flags = 0
    this.#series.beginPoint()
    this.#exemplars.begin()
  }

  /** Takes the field whose tag was just read, if it is one of the common ones. Throws MALFORMED_MESSAGE. */
  take(field: number, end: number): boolean {
    const { reader } = this
    const fields = this.#fields
    if (reader.wireType === LENGTH_DELIMITED) {
      if (field !== fields.attributes && field !== fields.exemplars) return false
      const to = reader.enter(end)
      if (field === fields.attributes) this.#series.addAttribute(reader.position, to)
      else this.#exemplars.add(reader.position, to)
      reader.position = to
      return true
    }
    if (reader.wireType === FIXED64 && field === 3) {
      reader.fixed64(end)
      this.#timeLow = reader.low
      this.#timeHigh = reader.high
      return true
    }
    if (reader.wireType === FIXED64 && field === 2) {
      reader.fixed64(end)
      this.#startLow = reader.low
      this.#startHigh = reader.high
      return true
    }
    if (reader.wireType !== VARINT || field !== fields.flags) return false
    this.#flags = reader.varint32(end)
    return true
  }

  /** Why the point cannot be taken; null when it can. Throws MALFORMED_MESSAGE. The reader's position is undefined afterwards. */
  refusal(window: TimeWindow): RejectReason | null {
    const badTime = checkTime(this.#timeLow, this.#timeHigh, window)
    if (badTime !== null) return badTime
    if (this.#exemplars.areTooDeep()) return 'too_deep'
    // Last, because a series that is new is written here.
    this.#seriesNumber = this.#series.resolve()
    if (this.#seriesNumber === SERIES_TOO_DEEP) return 'too_deep'
    if (this.#seriesNumber === SERIES_BEYOND_LIMIT) return 'series_limit'
    return this.#seriesNumber === SERIES_TOO_WIDE ? 'too_many_attributes' : null
  }

  /** Writes the common columns, and the exemplars. Call after {@link refusal} returned null. */
  write(columns: HeadColumns): void {
    const series = this.#series
    const idStart = this.#seriesNumber * 16
    columns.tenant.push(this.#tenantId)
    columns.metric.push(this.#metricId)
    columns.series.pushFrom(series.ids, idStart)
    columns.ts.pushUint64(this.#timeLow, this.#timeHigh)
    const isLater =
      this.#timeHigh > this.#latestHigh ||
      (this.#timeHigh === this.#latestHigh && this.#timeLow > this.#latestLow)
    if (isLater) {
      this.#latestHigh = this.#timeHigh
      this.#latestLow = this.#timeLow
    }
    // No calendar has such a start: it counts as not sent.
    if (this.#startHigh >= 0x80000000) columns.start.pushZero()
    else columns.start.pushUint64(this.#startLow, this.#startHigh)
    columns.flags.pushUint32(this.#flags)
    if (this.#exemplars.count === 0) return
    this.#exemplars.write(this.#tenantId, this.#metricId, series.ids, idStart, this.#timeLow, this.#timeHigh)
  }
}
