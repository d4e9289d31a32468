import type { CounterResetHint, FloatHistogram, HistogramSpan } from '../../model/float-histogram.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import { sizeOfEntries } from '../promql/sample-size.ts'
import { type HistogramMemo, type HistogramSamples, knownStarts } from './histogram-samples.ts'
import { numberRows } from './number-rows.ts'
import { type PackedLists, packedListColumns, packedLists } from './packed-lists.ts'
import { STARTS_COLUMN } from './series-reader.ts'

const HINTS: readonly CounterResetHint[] = ['unknown', 'reset', 'not_reset', 'gauge']

/** What is read of `prom_histograms` beside the times, by the names of the columns. */
export const NATIVE_HISTOGRAM_COLUMNS: Readonly<Record<string, string>> = {
  starts: STARTS_COLUMN,
  hints: 'groupArray(reset_hint)',
  schemas: 'groupArray(schema)',
  zeroThresholds: 'groupArray(zero_threshold)',
  zeroCounts: 'groupArray(zero_count)',
  totals: 'groupArray(count)',
  sums: 'groupArray(sum)',
  ...packedListColumns('positiveOffsets', 'positive_offsets', 'Int32'),
  ...packedListColumns('positiveSizes', 'positive_lengths', 'UInt32'),
  ...packedListColumns('positiveCounts', 'positive_counts', 'Float64'),
  ...packedListColumns('negativeOffsets', 'negative_offsets', 'Int32'),
  ...packedListColumns('negativeSizes', 'negative_lengths', 'UInt32'),
  ...packedListColumns('negativeCounts', 'negative_counts', 'Float64'),
  ...packedListColumns('bounds', 'custom_values', 'Float64'),
}

/** Makes the function that gives the histograms of the series in a row of an answer; `times` are milliseconds after `baseMs`. */
export function nativeHistograms(
  block: ColumnBlock,
  baseMs: number,
  memo: HistogramMemo,
): (row: number) => HistogramSamples {
  const rows = numberRows(block, [
    'times',
    'starts',
    'hints',
    'schemas',
    'zeroThresholds',
    'zeroCounts',
    'totals',
    'sums',
  ])
  const positiveAt = sideOf(block, 'positive')
  const negativeAt = sideOf(block, 'negative')
  const boundsAt = packedLists(block, 'bounds')
  return (row) => {
    const own = rows(row)
    const [positive, negative, bounds] = [positiveAt(row), negativeAt(row), boundsAt(row)]
    const make = (place: number): FloatHistogram => ({
      schema: own.schemas[place] as number,
      zeroThreshold: own.zeroThresholds[place] as number,
      zeroCount: own.zeroCounts[place] as number,
      count: own.totals[place] as number,
      sum: own.sums[place] as number,
      positiveSpans: positive.spansAt(place),
      positiveBuckets: toArray(positive.counts, place),
      negativeSpans: negative.spansAt(place),
      negativeBuckets: toArray(negative.counts, place),
      customValues: toArray(bounds, place),
      counterResetHint: HINTS[own.hints[place] as number] ?? 'unknown',
    })
    const samples: HistogramSamples = {
      times: shifted(own.times, baseMs),
      starts: knownStarts(shifted(own.starts, 0)),
      at: (place) => memo(samples, place, make),
      sizeAt: (place) =>
        sizeOfEntries(positive.entriesAt(place) + negative.entriesAt(place) + bounds.lengthAt(place)),
    }
    return samples
  }
}

/** By hand, as going through a view item by item is much slower. */
function shifted(numbers: ArrayLike<number>, by: number): Float64Array {
  const made = new Float64Array(numbers.length)
  for (let i = 0; i < made.length; i += 1) made[i] = (numbers[i] as number) + by
  return made
}

const NO_BUCKETS: readonly number[] = []
const NO_SPANS: readonly HistogramSpan[] = []

/** The buckets on one side of zero, of all samples of a series. */
interface Side {
  readonly counts: PackedLists
  /** The spans of a sample: the same object as long as they stay the same, as they mostly do. */
  spansAt(place: number): readonly HistogramSpan[]
  /** How many spans and buckets there are. */
  entriesAt(place: number): number
}

function sideOf(block: ColumnBlock, name: 'positive' | 'negative'): (row: number) => Side {
  const offsetsOf = packedLists(block, `${name}Offsets`)
  const sizesOf = packedLists(block, `${name}Sizes`)
  const countsOf = packedLists(block, `${name}Counts`)
  return (row) => {
    const [offsets, sizes, counts] = [offsetsOf(row), sizesOf(row), countsOf(row)]
    let last: readonly HistogramSpan[] = NO_SPANS
    return {
      counts,
      spansAt(place) {
        if (offsets.lengthAt(place) === 0) return NO_SPANS
        const [own, lengths] = [offsets.listAt(place), sizes.listAt(place)]
        const isLast =
          last.length === own.length &&
          last.every(({ offset, length }, i) => offset === own[i] && length === lengths[i])
        if (!isLast) last = Array.from(own, (offset, i) => ({ offset, length: lengths[i] ?? 0 }))
        return last
      },
      entriesAt: (place) => offsets.lengthAt(place) + counts.lengthAt(place),
    }
  }
}

function toArray(lists: PackedLists, place: number): readonly number[] {
  const length = lists.lengthAt(place)
  if (length === 0) return NO_BUCKETS
  const list = lists.listAt(place)
  const array = new Array<number>(length)
  for (let i = 0; i < length; i += 1) array[i] = list[i] as number
  return array
}
