import { compareLabels, type Labels, labelsKey } from '../../model/labels.ts'
import type { Series } from '../promql/series-source.ts'
import { accumulateDeltas, type DeltaRows } from './accumulate-deltas.ts'
import { type HistogramSamples, sizeOfSamples } from './histogram-samples.ts'
import { mergeHistograms } from './merge-histograms.ts'
import type { SeriesSamples } from './order-stretches.ts'
import { type SampleRows, toSeries } from './samples.ts'

/** Gathers the samples of series that stand in several places, and makes one series of those with equal labels. */
export interface SeriesCollector {
  add(labels: Labels, rows: SampleRows): void
  /**
   * Samples, in order, of a series whose place among all that are added this way is known (`rank`, by labels); no two have equal labels.
   */
  addRanked(rank: number, labels: Labels, samples: SeriesSamples): void
  /** Samples that are in order already. */
  addReady(labels: Labels, samples: SeriesSamples): void
  /** Differences from one sample to the next. Those with equal labels add up, whoever sent them. */
  addDeltas(labels: Labels, rows: DeltaRows): void
  addHistograms(labels: Labels, samples: HistogramSamples): void
  /** Samples so far; a histogram counts as many numbers. */
  readonly samples: number
  /** Sorted by labels. Of several samples at one time the greatest counts, and a histogram before a number. */
  finish(): Series[]
}

interface Gathered {
  readonly labels: Labels
  ready: SeriesSamples | null
  readonly rows: SampleRows[]
  readonly deltas: DeltaRows[]
  readonly histograms: HistogramSamples[]
}

/** An empty collection. */
export function createSeriesCollector(): SeriesCollector {
  const byLabels = new Map<string, Gathered>()
  const ranked: (Series | undefined)[] = []
  let samples = 0
  const of = (labels: Labels): Gathered => {
    const key = labelsKey(labels)
    let gathered = byLabels.get(key)
    if (gathered === undefined) {
      gathered = { labels, ready: null, rows: [], deltas: [], histograms: [] }
      byLabels.set(key, gathered)
    }
    return gathered
  }
  const put = (labels: Labels, ready: SeriesSamples) => {
    const gathered = of(labels)
    if (gathered.ready === null) gathered.ready = ready
    else gathered.rows.push(rowsOf(ready))
  }
  return {
    add(labels, rows) {
      samples += rows.times.length
      const gathered = of(labels)
      // Put in order at once: what the rows are a part of is let go.
      if (gathered.ready === null) gathered.ready = toSeries(labels, rows)
      else gathered.rows.push(rows)
    },
    addRanked(rank, labels, { timestamps, values, stale, starts }) {
      samples += timestamps.length
      while (ranked.length <= rank) ranked.push(undefined)
      ranked[rank] = { labels, timestamps, values, stale, ...(starts == null ? {} : { starts }) }
    },
    addReady(labels, ready) {
      samples += ready.timestamps.length
      put(labels, ready)
    },
    addDeltas(labels, rows) {
      samples += rows.values.length
      of(labels).deltas.push(rows)
    },
    addHistograms(labels, list) {
      if (list.times.length === 0) return
      samples += sizeOfSamples(list)
      of(labels).histograms.push(list)
    },
    get samples() {
      return samples
    },
    finish() {
      const first = ranked.filter((one) => one !== undefined && one.timestamps.length > 0) as Series[]
      if (byLabels.size === 0) return first
      for (const one of first) put(one.labels, one)
      return [...byLabels.values()]
        .map(seriesOf)
        .filter(({ timestamps }) => timestamps.length > 0)
        .sort((a, b) => compareLabels(a.labels, b.labels))
    },
  }
}

function seriesOf({ labels, ready, rows, deltas, histograms }: Gathered): Series {
  if (ready !== null && rows.length + deltas.length + histograms.length === 0) return { ...ready, labels }
  const own = ready === null ? rows : [...rows, rowsOf(ready)]
  const all = deltas.length === 0 ? own : [...own, accumulateDeltas(deltas)]
  const [only] = all
  const numbers = toSeries(labels, all.length === 1 && only !== undefined ? only : concatenated(all))
  return histograms.length === 0 ? numbers : mergeHistograms(numbers, histograms)
}

function rowsOf({ timestamps, values, stale, starts }: SeriesSamples): SampleRows {
  return { baseMs: 0, times: timestamps, values, stale, starts: starts ?? null }
}

function concatenated(parts: readonly SampleRows[]): SampleRows {
  const join = (list: (part: SampleRows) => ArrayLike<number>) =>
    Float64Array.from(parts.flatMap((part) => Array.from(list(part))))
  const zeros = (part: SampleRows) => new Uint8Array(part.times.length)
  return {
    baseMs: 0,
    times: Float64Array.from(
      parts.flatMap(({ times, baseMs }) => Array.from(times, (time) => time + baseMs)),
    ),
    values: join(({ values }) => values),
    stale: parts.some(({ stale }) => stale !== null) ? join((part) => part.stale ?? zeros(part)) : null,
    starts: parts.some(({ starts }) => starts !== null) ? join((part) => part.starts ?? zeros(part)) : null,
  }
}
