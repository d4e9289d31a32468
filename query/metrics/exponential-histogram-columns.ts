import { EMPTY_HISTOGRAM, type FloatHistogram } from '../../model/float-histogram.ts'
import { COARSEST_SCHEMA } from '../../model/histogram/bucket-bound.ts'
import { fromExponential } from '../../model/histogram/from-exponential.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import { sizeOfEntries } from '../promql/sample-size.ts'
import { type HistogramMemo, type HistogramSamples, knownStarts } from './histogram-samples.ts'
import { numberRows } from './number-rows.ts'
import { type PackedLists, packedListColumns, packedLists } from './packed-lists.ts'
import { NO_RECORDED_VALUE, STARTS_COLUMN } from './series-reader.ts'

/** What is read of `otlp_exponential_histograms` beside the times, by the names of the columns. */
export const EXPONENTIAL_HISTOGRAM_COLUMNS: Readonly<Record<string, string>> = {
  starts: STARTS_COLUMN,
  nanos: 'groupArray(toUInt32(toUnixTimestamp64Nano(ts) % 1000000))',
  marks: `groupArray(toUInt8(${NO_RECORDED_VALUE}))`,
  hasSums: 'groupArray(bitAnd(present, 1))',
  totals: 'groupArray(toFloat64(count))',
  sums: 'groupArray(sum)',
  scales: 'groupArray(scale)',
  zeroCounts: 'groupArray(toFloat64(zero_count))',
  zeroThresholds: 'groupArray(zero_threshold)',
  positiveOffsets: 'groupArray(positive_offset)',
  negativeOffsets: 'groupArray(negative_offset)',
  ...packedListColumns('positiveCounts', 'positive_counts', 'Float64'),
  ...packedListColumns('negativeCounts', 'negative_counts', 'Float64'),
}

/** The points of one series. */
export interface ExponentialPoints {
  /** Those that Prometheus has a schema for. */
  readonly samples: HistogramSamples
  /** Nanoseconds of each sample's time beyond its millisecond. */
  readonly nanos: Uint32Array
  /** When points said that the series has ended, epoch milliseconds. */
  readonly endedMs: Float64Array
}

/** Makes the function that gives the points of the series in a row of an answer; `times` are milliseconds after `baseMs`. */
export function exponentialHistograms(
  block: ColumnBlock,
  baseMs: number,
  memo: HistogramMemo,
): (row: number) => ExponentialPoints {
  const rows = numberRows(block, [
    'times',
    'starts',
    'nanos',
    'marks',
    'hasSums',
    'totals',
    'sums',
    'scales',
    'zeroCounts',
    'zeroThresholds',
    'positiveOffsets',
    'negativeOffsets',
  ])
  const positiveAt = packedLists(block, 'positiveCounts')
  const negativeAt = packedLists(block, 'negativeCounts')
  return (row) => {
    const own = rows(row)
    const [positive, negative] = [positiveAt(row), negativeAt(row)]
    const timeAt = (place: number) => (own.times[place] as number) + baseMs
    const places: number[] = []
    const ended: number[] = []
    for (let place = 0; place < own.times.length; place += 1) {
      if (own.marks[place] === 1) ended.push(timeAt(place))
      else if ((own.scales[place] as number) >= COARSEST_SCHEMA) places.push(place)
    }
    const make = (index: number): FloatHistogram => {
      const place = places[index] as number
      const point = {
        scale: own.scales[place] as number,
        count: own.totals[place] as number,
        sum: own.hasSums[place] === 1 ? (own.sums[place] as number) : 0,
        zeroCount: own.zeroCounts[place] as number,
        zeroThreshold: own.zeroThresholds[place] as number,
        positive: { offset: own.positiveOffsets[place] as number, counts: positive.listAt(place) },
        negative: { offset: own.negativeOffsets[place] as number, counts: negative.listAt(place) },
      }
      return fromExponential(point) ?? EMPTY_HISTOGRAM
    }
    const samples: HistogramSamples = {
      times: Float64Array.from(places, timeAt),
      starts: knownStarts(Float64Array.from(places, (place) => own.starts[place] as number)),
      at: (index) => memo(samples, index, make),
      sizeAt: (index) => {
        const place = places[index] as number
        return sizeOfEntries(entriesOf(positive, place) + entriesOf(negative, place))
      },
    }
    return {
      samples,
      nanos: Uint32Array.from(places, (place) => own.nanos[place] as number),
      endedMs: Float64Array.from(ended),
    }
  }
}

/** How many buckets have something in them, and how many stretches they make. A finer scale than there is makes more of it. */
function entriesOf(counts: PackedLists, place: number): number {
  const list = counts.listAt(place)
  let entries = 0
  let isInside = false
  for (let i = 0; i < list.length; i += 1) {
    const isPopulated = list[i] !== 0
    if (isPopulated) entries += isInside ? 1 : 2
    isInside = isPopulated
  }
  return entries
}
