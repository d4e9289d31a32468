import { EMPTY_HISTOGRAM, type FloatHistogram } from '../../model/float-histogram.ts'
import { addHistograms } from '../../model/histogram/add-histograms.ts'
import { compactHistogram } from '../../model/histogram/compact-histogram.ts'
import { fromExponential } from '../../model/histogram/from-exponential.ts'
import { hexOf, numberArraysOf, numbersOf } from '../../storage/block-columns.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import type { HistogramSample } from './collect-series.ts'
import { deltaDay, deltasFromMs } from './delta-day.ts'
import { namedLabels } from './expand-series.ts'
import { readSamples, type SampleScope } from './read-samples.ts'
import type { IndexedSeries } from './select-index.ts'
import { NO_RECORDED_VALUE, ofKinds, readByTemporality, type SeriesReader } from './series-reader.ts'

const FIELDS = [
  'present',
  'count',
  'sum',
  'scale',
  'zero_count',
  'zero_threshold',
  'positive_offset',
  'positive_counts',
  'negative_offset',
  'negative_counts',
] as const

/** Reads exponential histograms as native ones. Those of a scale that Prometheus has no schema for are left out. */
export async function readExponentialHistograms(
  reader: SeriesReader,
  index: readonly IndexedSeries[],
): Promise<void> {
  await readByTemporality(reader, index, readCumulative, readDeltas)
}

async function readCumulative(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['exponential_histogram'])
  for await (const point of readPoints(reader, scope)) add(reader, byId.get(point.id), [point])
}

/** Every difference of the day in which the range begins, from its first one on: a sum of histograms has no shorter form. */
async function readDeltas(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['exponential_histogram'])
  const bySeries = new Map<string, ExponentialPoint[]>()
  for await (const point of readPoints(reader, { ...scope, fromMs: deltasFromMs(scope.fromMs) })) {
    const points = bySeries.get(point.id)
    if (points === undefined) bySeries.set(point.id, [point])
    else points.push(point)
  }
  for (const [id, points] of bySeries) {
    add(
      reader,
      byId.get(id),
      runningSum(points).filter(({ timeMs }) => timeMs > scope.fromMs),
    )
  }
}

interface ExponentialPoint extends HistogramSample {
  readonly id: string
  readonly isStale: boolean
}

/** At each point the sum of all since midnight, see {@link accumulateDeltas}. */
function runningSum(points: readonly ExponentialPoint[]): ExponentialPoint[] {
  let total: FloatHistogram | null = null
  let day = Number.NEGATIVE_INFINITY
  const summed: ExponentialPoint[] = []
  for (const point of points.toSorted((a, b) => a.timeMs - b.timeMs)) {
    const begins = !point.isStale && deltaDay(point.timeMs) !== day
    if (!point.isStale) {
      day = deltaDay(point.timeMs)
      const sum: FloatHistogram | undefined =
        total === null || begins ? point.histogram : addHistograms(total, point.histogram)?.histogram
      if (sum === undefined) continue
      total = sum
    }
    if (total === null) summed.push(point)
    else {
      const histogram = compactHistogram(total)
      summed.push({ ...point, histogram: begins ? { ...histogram, counterResetHint: 'reset' } : histogram })
    }
  }
  return summed
}

function add(
  reader: SeriesReader,
  found: readonly IndexedSeries[] | undefined,
  points: readonly ExponentialPoint[],
): void {
  for (const series of found ?? []) {
    const labels = namedLabels(series, '')
    if (!reader.isWanted(labels)) continue
    reader.collector.addHistograms(
      labels,
      points.filter(({ isStale }) => !isStale),
    )
    for (const { timeMs } of points.filter(({ isStale }) => isStale)) {
      const mark = { baseMs: 0, times: [timeMs], values: [Number.NaN], stale: [1], starts: null }
      reader.collector.add(labels, mark)
    }
  }
  reader.checkSize()
}

async function* readPoints(reader: SeriesReader, scope: SampleScope): AsyncGenerator<ExponentialPoint> {
  const read = {
    name: 'metrics.exponentialHistograms',
    table: 'otlp_exponential_histograms',
    // Each point is a row: histograms are of many sizes.
    groupBy: [
      'toFloat64(toUnixTimestamp64Milli(ts)) AS timeMs',
      'toFloat64(toUnixTimestamp64Milli(start)) AS startMs',
      `${NO_RECORDED_VALUE} AS mark`,
      'ts',
      ...FIELDS,
    ],
    columns: {},
    width: 16,
  } as const
  for await (const block of readSamples(reader.storage, scope, read)) yield* pointsOf(block)
}

function* pointsOf(block: ColumnBlock): Generator<ExponentialPoint> {
  const number = (name: string, row: number) => Number(numbersOf(block, name)[row])
  const side = (name: string, row: number) => {
    const column = numberArraysOf(block, `${name}_counts`)
    const from = row === 0 ? 0 : (column.ends[row - 1] as number)
    const counts = Array.from(column.values.subarray(from, column.ends[row]), Number)
    return { offset: number(`${name}_offset`, row), counts }
  }
  for (const [row, id] of hexOf(block, 'series').entries()) {
    const histogram = fromExponential({
      scale: number('scale', row),
      count: number('count', row),
      sum: (number('present', row) & 1) === 1 ? number('sum', row) : 0,
      zeroCount: number('zero_count', row),
      zeroThreshold: number('zero_threshold', row),
      positive: side('positive', row),
      negative: side('negative', row),
    })
    const isStale = number('mark', row) === 1
    if (histogram === null && !isStale) continue
    yield {
      id,
      timeMs: number('timeMs', row),
      startMs: number('startMs', row),
      isStale,
      histogram: histogram ?? EMPTY_HISTOGRAM,
    }
  }
}
