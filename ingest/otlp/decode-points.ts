import type { ArrayColumn } from '../native/array-column.ts'
import { toDouble } from './any-value-text.ts'
import type { RejectReason } from './decode-outcome.ts'
import type { MetricColumns } from './metric-blocks.ts'
import { pushValue, type ValueKind } from './metric-value.ts'
import { MAX_NUMBERS, NumberList } from './number-list.ts'
import type { PointFields, PointHead } from './point-head.ts'
import type { TimeWindow } from './time-window.ts'
import { FIXED64, LENGTH_DELIMITED, VARINT } from './wire-reader.ts'
import { unZigZag } from './zig-zag.ts'

/** Decodes one data point from the reader's position to `end`: writes its row, or says why not. Throws MALFORMED_MESSAGE. */
export type DecodePoint = (end: number, window: TimeWindow) => RejectReason | null

const NUMBER_FIELDS: PointFields = { attributes: 7, flags: 8, exemplars: 5 }
const HISTOGRAM_FIELDS: PointFields = { attributes: 9, flags: 10, exemplars: 8 }
const EXPONENTIAL_FIELDS: PointFields = { attributes: 1, flags: 10, exemplars: 11 }
const SUMMARY_FIELDS: PointFields = { attributes: 7, flags: 8, exemplars: 0 }

/** Bits of the column `present`. */
const HAS_SUM = 1
const HAS_MIN = 2
const HAS_MAX = 4

/** Two halves of a 64-bit value. */
interface Halves {
  low: number
  high: number
}

/** Decoder of `NumberDataPoint`: gauges and sums. */
export function createNumberPointDecoder(head: PointHead, columns: MetricColumns['points']): DecodePoint {
  const { reader } = head
  return (end, window) => {
    let kind: ValueKind = 'e'
    let low = 0
    let high = 0
    head.begin(NUMBER_FIELDS)
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType === FIXED64 && (field === 4 || field === 6)) {
        reader.fixed64(end)
        low = reader.low
        high = reader.high
        kind = field === 4 ? 'd' : 'i'
      } else if (!head.take(field, end)) reader.skip(end, field)
    }
    const reason = head.refusal(window)
    if (reason !== null) return reason
    head.write(columns)
    pushValue(columns, head.text, kind, low, high)
    return null
  }
}

/** Decoder of `HistogramDataPoint`. Counts must be one more than bounds (or both absent), and bounds must rise. */
export function createHistogramPointDecoder(
  head: PointHead,
  columns: MetricColumns['histograms'],
): DecodePoint {
  const { reader } = head
  const bounds = new NumberList()
  const counts = new NumberList()
  const count = { low: 0, high: 0 }
  const sum = { low: 0, high: 0 }
  const min = { low: 0, high: 0 }
  const max = { low: 0, high: 0 }
  return (end, window) => {
    let present = 0
    for (const halves of [count, sum, min, max]) clear(halves)
    bounds.begin()
    counts.begin()
    head.begin(HISTOGRAM_FIELDS)
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 6) counts.addFixed64(reader, end, field)
      else if (field === 7) bounds.addFixed64(reader, end, field)
      else if (reader.wireType === FIXED64 && (field === 4 || field === 5 || field === 11 || field === 12)) {
        reader.fixed64(end)
        if (field === 4) set(count, reader)
        else if (field === 5) {
          set(sum, reader)
          present |= HAS_SUM
        } else if (field === 11) {
          set(min, reader)
          present |= HAS_MIN
        } else {
          set(max, reader)
          present |= HAS_MAX
        }
      } else if (!head.take(field, end)) reader.skip(end, field)
    }
    if (!doBucketsFit(bounds, counts)) return 'bounds'
    const reason = head.refusal(window)
    if (reason !== null) return reason
    head.write(columns)
    columns.present.pushUint8(present)
    columns.count.pushUint64(count.low, count.high)
    columns.sum.pushUint64(sum.low, sum.high)
    columns.min.pushUint64(min.low, min.high)
    columns.max.pushUint64(max.low, max.high)
    pushList(columns.bounds, bounds)
    pushList(columns.counts, counts)
    return null
  }
}

/** Decoder of `ExponentialHistogramDataPoint`. */
export function createExponentialPointDecoder(
  head: PointHead,
  columns: MetricColumns['exponentialHistograms'],
): DecodePoint {
  const { reader } = head
  const positive = new NumberList()
  const negative = new NumberList()
  const count = { low: 0, high: 0 }
  const sum = { low: 0, high: 0 }
  const zeroCount = { low: 0, high: 0 }
  const min = { low: 0, high: 0 }
  const max = { low: 0, high: 0 }
  const zeroThreshold = { low: 0, high: 0 }
  const targets: Readonly<Record<number, Halves>> = {
    4: count,
    5: sum,
    7: zeroCount,
    12: min,
    13: max,
    14: zeroThreshold,
  }
  const bits: Readonly<Record<number, number>> = { 5: HAS_SUM, 12: HAS_MIN, 13: HAS_MAX }

  function readBuckets(to: number, list: NumberList, before: number): number {
    let offset = before
    while (reader.position < to) {
      const field = reader.tag(to)
      if (field === 1 && reader.wireType === VARINT) offset = unZigZag(reader.varint32(to))
      else if (field === 2) list.addVarint(reader, to, field)
      else reader.skip(to, field)
    }
    return offset
  }

  return (end, window) => {
    let present = 0
    let scale = 0
    let positiveOffset = 0
    let negativeOffset = 0
    for (const halves of Object.values(targets)) clear(halves)
    positive.begin()
    negative.begin()
    head.begin(EXPONENTIAL_FIELDS)
    while (reader.position < end) {
      const field = reader.tag(end)
      const target = targets[field]
      if (reader.wireType === FIXED64 && target !== undefined) {
        reader.fixed64(end)
        set(target, reader)
        present |= bits[field] ?? 0
      } else if (field === 6 && reader.wireType === VARINT) scale = unZigZag(reader.varint32(end))
      else if (field === 8 && reader.wireType === LENGTH_DELIMITED) {
        positiveOffset = readBuckets(reader.enter(end), positive, positiveOffset)
      } else if (field === 9 && reader.wireType === LENGTH_DELIMITED) {
        negativeOffset = readBuckets(reader.enter(end), negative, negativeOffset)
      } else if (!head.take(field, end)) reader.skip(end, field)
    }
    if (positive.isTooLong || negative.isTooLong) return 'bounds'
    const reason = head.refusal(window)
    if (reason !== null) return reason
    head.write(columns)
    columns.present.pushUint8(present)
    columns.count.pushUint64(count.low, count.high)
    columns.sum.pushUint64(sum.low, sum.high)
    columns.min.pushUint64(min.low, min.high)
    columns.max.pushUint64(max.low, max.high)
    columns.scale.pushUint32(scale)
    columns.zero_count.pushUint64(zeroCount.low, zeroCount.high)
    columns.zero_threshold.pushUint64(zeroThreshold.low, zeroThreshold.high)
    columns.positive_offset.pushUint32(positiveOffset)
    pushList(columns.positive_counts, positive)
    columns.negative_offset.pushUint32(negativeOffset)
    pushList(columns.negative_counts, negative)
    return null
  }
}

/** Decoder of `SummaryDataPoint`. */
export function createSummaryPointDecoder(head: PointHead, columns: MetricColumns['summaries']): DecodePoint {
  const { reader } = head
  const quantiles = new NumberList()
  const values = new NumberList()
  const count = { low: 0, high: 0 }
  const sum = { low: 0, high: 0 }

  /** A quantile or value that was not sent is 0: pushed first, and replaced by what comes. */
  function readQuantile(to: number): void {
    const index = quantiles.pushZero()
    values.pushZero()
    while (reader.position < to) {
      const field = reader.tag(to)
      if (reader.wireType === FIXED64 && (field === 1 || field === 2)) {
        reader.fixed64(to)
        ;(field === 1 ? quantiles : values).replace(index, reader)
      } else reader.skip(to, field)
    }
  }

  return (end, window) => {
    clear(count)
    clear(sum)
    quantiles.begin()
    values.begin()
    head.begin(SUMMARY_FIELDS)
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType === FIXED64 && (field === 4 || field === 5)) {
        reader.fixed64(end)
        set(field === 4 ? count : sum, reader)
      } else if (field === 6 && reader.wireType === LENGTH_DELIMITED) readQuantile(reader.enter(end))
      else if (!head.take(field, end)) reader.skip(end, field)
    }
    if (quantiles.isTooLong) return 'bounds'
    const reason = head.refusal(window)
    if (reason !== null) return reason
    head.write(columns)
    columns.count.pushUint64(count.low, count.high)
    columns.sum.pushUint64(sum.low, sum.high)
    pushList(columns.quantiles, quantiles)
    pushList(columns.quantile_values, values)
    return null
  }
}

function doBucketsFit(bounds: NumberList, counts: NumberList): boolean {
  if (bounds.isTooLong || counts.isTooLong || counts.count > MAX_NUMBERS) return false
  if (counts.count === 0) return bounds.count === 0
  if (counts.count !== bounds.count + 1) return false
  let before = Number.NEGATIVE_INFINITY
  for (let index = 0; index < bounds.count; index++) {
    const bound = toDouble(bounds.lows[index] as number, bounds.highs[index] as number)
    // Written so that NaN does not fit either.
    if (!(bound > before)) return false
    before = bound
  }
  return true
}

function pushList(column: ArrayColumn, list: NumberList): void {
  for (let index = 0; index < list.count; index++) {
    column.items.pushUint64(list.lows[index] as number, list.highs[index] as number)
  }
  column.endRow()
}

function clear(halves: Halves): void {
  halves.low = 0
  halves.high = 0
}

function set(halves: Halves, from: Halves): void {
  halves.low = from.low
  halves.high = from.high
}
