import type { HistogramSpan } from '../../model/float-histogram.ts'
import type { ProtobufWriter } from '../../runtime/protobuf-writer.ts'
import { zigZag } from '../otlp/zig-zag.ts'
import type { ExposedHistogram } from './exposition.ts'

const GAUGE_HINT = 3

/** Writes the fields of a `Histogram` message of remote write: counts, or where it counts in integers their differences. */
export function encodeHistogram(
  writer: ProtobufWriter,
  histogram: ExposedHistogram,
  timestampMs: number,
  startMs: number,
): void {
  const { isInteger, count, zeroCount } = histogram
  if (isInteger) writer.varint(1, count)
  else writer.double(2, count)
  writer.double(3, histogram.sum)
  writer.varint(4, zigZag(histogram.schema))
  writer.double(5, histogram.zeroThreshold)
  if (isInteger) writer.varint(6, zeroCount)
  else writer.double(7, zeroCount)
  writeSide(writer, 8, histogram.negativeSpans, histogram.negativeBuckets, isInteger)
  writeSide(writer, 11, histogram.positiveSpans, histogram.positiveBuckets, isInteger)
  if (histogram.counterResetHint === 'gauge') writer.varint(14, GAUGE_HINT)
  writer.varint(15, timestampMs)
  if (startMs !== 0) writer.varint(17, startMs)
}

/** Spans at `field`, differences of integers behind them, counts behind these. */
function writeSide(
  writer: ProtobufWriter,
  field: number,
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
  isInteger: boolean,
): void {
  for (const { offset, length } of spans) {
    writer.message(field, () => {
      writer.varint(1, zigZag(offset))
      writer.varint(2, length)
    })
  }
  if (isInteger) {
    buckets.forEach((count, at) => {
      writer.varint(field + 1, zigZag(count - (buckets[at - 1] ?? 0)))
    })
  } else for (const count of buckets) writer.double(field + 2, count)
}
