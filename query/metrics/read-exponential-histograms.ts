import type { FloatHistogram } from '../../model/float-histogram.ts'
import { addHistograms } from '../../model/histogram/add-histograms.ts'
import { compactHistogram } from '../../model/histogram/compact-histogram.ts'
import { histogramEquals } from '../../model/histogram/histogram-equals.ts'
import { deltaDay, deltasFromMs } from './delta-day.ts'
import { namedLabels } from './expand-series.ts'
import {
  EXPONENTIAL_HISTOGRAM_COLUMNS,
  type ExponentialPoints,
  exponentialHistograms,
} from './exponential-histogram-columns.ts'
import { createHistogramMemo, type HistogramSamples, readySamples } from './histogram-samples.ts'
import { readSamples, type SampleScope, timesColumn } from './read-samples.ts'
import type { IndexedSeries } from './select-index.ts'
import { eachSeries, ofKinds, readByTemporality, type SeriesReader } from './series-reader.ts'

/** Reads exponential histograms as native ones. Those of a scale that Prometheus has no schema for are left out. */
export async function readExponentialHistograms(
  reader: SeriesReader,
  index: readonly IndexedSeries[],
): Promise<void> {
  await readByTemporality(reader, index, readCumulative, readDeltas)
}

async function readCumulative(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['exponential_histogram'])
  await eachPoints(reader, scope, byId, ({ samples }) => samples)
}

/** Every difference of the day in which the range begins, from its first one on: a sum of histograms has no shorter form. */
async function readDeltas(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['exponential_histogram'])
  const whole = { ...scope, fromMs: deltasFromMs(scope.fromMs) }
  await eachPoints(reader, whole, byId, (points) => runningSum(points, scope.fromMs))
}

/** Gives the samples that are made of each series' points to the collector, and the marks of those that are in the selection's range. */
async function eachPoints(
  reader: SeriesReader,
  scope: SampleScope,
  byId: ReadonlyMap<string, readonly IndexedSeries[]>,
  samplesOf: (points: ExponentialPoints) => HistogramSamples,
): Promise<void> {
  const read = {
    name: 'metrics.exponentialHistograms',
    table: 'otlp_exponential_histograms',
    columns: { times: timesColumn(scope), ...EXPONENTIAL_HISTOGRAM_COLUMNS },
    width: 24,
  } as const
  const memo = createHistogramMemo()
  for await (const block of readSamples(reader.storage, scope, read)) {
    const pointsAt = exponentialHistograms(block, scope.fromMs, memo)
    eachSeries(block, byId, (found, row) => {
      const points = pointsAt(row)
      const samples = samplesOf(points)
      const times = points.endedMs.filter((timeMs) => timeMs > reader.selection.fromMs)
      const values = new Float64Array(times.length).fill(Number.NaN)
      const marks = { baseMs: 0, times, values, stale: new Uint8Array(times.length).fill(1), starts: null }
      for (const series of found) {
        const labels = namedLabels(series, '')
        if (!reader.isWanted(labels)) continue
        reader.collector.addHistograms(labels, samples)
        if (times.length > 0) reader.collector.add(labels, marks)
      }
    })
    reader.checkSize()
  }
}

/** At each point later than `fromMs` the sum of all since midnight, see {@link accumulateDeltas}. A point that is there twice counts once. */
function runningSum({ samples, nanos }: ExponentialPoints, fromMs: number): HistogramSamples {
  const { times, starts } = samples
  const timeOrder = (a: number, b: number) =>
    (times[a] as number) - (times[b] as number) || (nanos[a] as number) - (nanos[b] as number)
  const order = Array.from(times.keys()).sort(timeOrder)
  const kept: { readonly place: number; readonly histogram: FloatHistogram }[] = []
  let total: FloatHistogram | null = null
  let day = Number.NEGATIVE_INFINITY
  let together: number[] = []
  for (const place of order) {
    if (together[0] === undefined || timeOrder(together[0], place) !== 0) together = []
    const isRepeated = together.some(
      (other) => starts?.[other] === starts?.[place] && histogramEquals(samples.at(other), samples.at(place)),
    )
    if (isRepeated) continue
    together.push(place)
    const timeMs = times[place] as number
    const begins = deltaDay(timeMs) !== day
    day = deltaDay(timeMs)
    const own = samples.at(place)
    const sum: FloatHistogram | undefined =
      total === null || begins ? own : addHistograms(total, own)?.histogram
    if (sum === undefined) continue
    total = sum
    if (timeMs <= fromMs) continue
    const histogram = compactHistogram(sum)
    kept.push({ place, histogram: begins ? { ...histogram, counterResetHint: 'reset' } : histogram })
  }
  return readySamples(
    Float64Array.from(kept, ({ place }) => times[place] as number),
    Float64Array.from(kept, ({ place }) => starts?.[place] ?? 0),
    kept.map(({ histogram }) => histogram),
  )
}
