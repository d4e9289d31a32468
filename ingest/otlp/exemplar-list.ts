import type { Interner } from '../native/interner.ts'
import { AttributeReader } from './attribute-reader.ts'
import type { MetricColumns } from './metric-blocks.ts'
import { pushValue, type ValueKind } from './metric-value.ts'
import { FIXED64, LENGTH_DELIMITED, type WireReader } from './wire-reader.ts'

/** More exemplars than this of one data point are left out. */
const MAX_EXEMPLARS = 1024

/** The exemplars of one data point: collected while the point is walked, written when it is taken. */
export class ExemplarList {
  count = 0
  readonly #ranges = new Int32Array(MAX_EXEMPLARS * 2)
  readonly #reader: WireReader
  readonly #text: Interner
  readonly #attributes: AttributeReader
  readonly #columns: MetricColumns['exemplars']
  #timeLow = 0
  #timeHigh = 0
  #valueLow = 0
  #valueHigh = 0
  #kind: ValueKind = 'e'
  #traceId = -1
  #spanId = -1

  constructor(
    reader: WireReader,
    text: Interner,
    maxAttributes: number,
    columns: MetricColumns['exemplars'],
  ) {
    this.#reader = reader
    this.#text = text
    this.#columns = columns
    this.#attributes = new AttributeReader(text, maxAttributes)
  }

  /** Starts with none. */
  begin(): void {
    this.count = 0
  }

  /** Remembers the Exemplar message in `[start, end)`. */
  add(start: number, end: number): void {
    if (this.count === MAX_EXEMPLARS) return
    this.#ranges[this.count * 2] = start
    this.#ranges[this.count * 2 + 1] = end
    this.count++
  }

  /** Whether an attribute of one of them is nested too deeply. Throws MALFORMED_MESSAGE. */
  areTooDeep(): boolean {
    for (let index = 0; index < this.count; index++) {
      this.#walk(index)
      if (this.#attributes.isTooDeep) return true
    }
    return false
  }

  /**
   * Writes them all. `metric` and `tenant` are interner numbers, the series id stands at `ids[idStart]`; an exemplar without a time (or
   * with one that no calendar has) gets the time of its point.
   */
  write(
    tenant: number,
    metric: number,
    ids: Uint8Array,
    idStart: number,
    pointLow: number,
    pointHigh: number,
  ): void {
    const columns = this.#columns
    const { bytes } = this.#reader
    for (let index = 0; index < this.count; index++) {
      this.#walk(index)
      this.#attributes.finish()
      const hasTime = (this.#timeLow !== 0 || this.#timeHigh !== 0) && this.#timeHigh < 0x80000000
      columns.tenant.push(tenant)
      columns.metric.push(metric)
      columns.series.pushFrom(ids, idStart)
      columns.point_ts.pushUint64(pointLow, pointHigh)
      columns.ts.pushUint64(hasTime ? this.#timeLow : pointLow, hasTime ? this.#timeHigh : pointHigh)
      pushValue(columns, this.#text, this.#kind, this.#valueLow, this.#valueHigh)
      if (this.#traceId < 0) columns.trace_id.pushZero()
      else columns.trace_id.pushFrom(bytes, this.#traceId)
      if (this.#spanId < 0) columns.span_id.pushZero()
      else columns.span_id.pushFrom(bytes, this.#spanId)
      this.#attributes.writeTo(this.#reader, columns.attrs, columns.attr_kinds, null)
    }
  }

  #walk(index: number): void {
    const reader = this.#reader
    const end = this.#ranges[index * 2 + 1] as number
    reader.position = this.#ranges[index * 2] as number
    this.#timeLow = this.#timeHigh = this.#valueLow = this.#valueHigh = 0
    this.#kind = 'e'
    this.#traceId = this.#spanId = -1
    this.#attributes.begin()
    while (reader.position < end) {
      const field = reader.tag(end)
      const { wireType } = reader
      if (wireType === LENGTH_DELIMITED) {
        const to = reader.enter(end)
        const from = reader.position
        if (field === 7) this.#attributes.add(reader, to)
        else if (field === 4) this.#spanId = to - from === 8 ? from : -1
        else if (field === 5) this.#traceId = to - from === 16 ? from : -1
        reader.position = to
      } else if (wireType === FIXED64 && field === 2) {
        reader.fixed64(end)
        this.#timeLow = reader.low
        this.#timeHigh = reader.high
      } else if (wireType === FIXED64 && (field === 3 || field === 6)) {
        reader.fixed64(end)
        this.#valueLow = reader.low
        this.#valueHigh = reader.high
        this.#kind = field === 3 ? 'd' : 'i'
      } else reader.skip(end, field)
    }
  }
}
