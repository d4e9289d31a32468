import { firstAfter } from '../../model/first-after.ts'
import type { FloatHistogram } from '../../model/float-histogram.ts'
import { type Labels, labelsKey, labelValue } from '../../model/labels.ts'
import { compileMatcher } from '../../model/matcher.ts'
import { histogramList } from './histogram-list.ts'
import type { Series, SeriesOverlay, SeriesSelection, SeriesSource } from './series-source.ts'

/** Series in memory, of one tenant: for scripts, unit tests of rules, and as overlay of what was just recorded. */
export interface MemorySeriesSource extends SeriesSource {
  /**
   * Adds a number, or with `isStale` the end of the series. Samples may come in any order; a second one at the same time replaces the
   * first. `startMs`: when the counter behind it began to count, epoch milliseconds; 0: not known.
   */
  append(labels: Labels, timestampMs: number, value: number, isStale?: boolean, startMs?: number): void
  /** Adds a native histogram, as {@link append} adds a number. It is kept, not copied. */
  appendHistogram(labels: Labels, timestampMs: number, histogram: FloatHistogram, startMs?: number): void
  /** The same series as a {@link SeriesOverlay}. */
  readonly overlay: SeriesOverlay
  /** Forgets samples older than that, and series that have no others. */
  trim(beforeMs: number): void
  clear(): void
}

interface StoredSample {
  readonly value: number
  readonly isStale: boolean
  readonly histogram: FloatHistogram | null
  readonly startMs: number
}

interface StoredSeries {
  readonly labels: Labels
  times: number[]
  samples: StoredSample[]
}

/** An empty source. The selection's tenant is not looked at. */
export function createMemorySeriesSource(): MemorySeriesSource {
  const all = new Map<string, StoredSeries>()

  const select = (selection: SeriesSelection): Series[] => {
    const tests = selection.matchers.map((matcher) => ({
      name: matcher.name,
      matches: compileMatcher(matcher),
    }))
    const found: Series[] = []
    for (const series of all.values()) {
      if (!tests.every(({ name, matches }) => matches(labelValue(series.labels, name)))) continue
      const from = firstAfter(series.times, selection.fromMs)
      const to = firstAfter(series.times, selection.toMs)
      if (from < to) found.push(cut(series, from, to))
    }
    return found
  }

  const put = (labels: Labels, timestampMs: number, sample: StoredSample): void => {
    const key = labelsKey(labels)
    let series = all.get(key)
    if (series === undefined) {
      series = { labels, times: [], samples: [] }
      all.set(key, series)
    }
    const at = firstAfter(series.times, timestampMs)
    const replaced = at > 0 && series.times[at - 1] === timestampMs ? 1 : 0
    series.times.splice(at - replaced, replaced, timestampMs)
    series.samples.splice(at - replaced, replaced, sample)
  }

  return {
    selectSeries: async (selection) => select(selection),
    overlay: { selectSeries: select },
    append(labels, timestampMs, value, isStale = false, startMs = 0) {
      put(labels, timestampMs, { value, isStale, histogram: null, startMs })
    },
    appendHistogram(labels, timestampMs, histogram, startMs = 0) {
      put(labels, timestampMs, { value: Number.NaN, isStale: false, histogram, startMs })
    },
    trim(beforeMs) {
      for (const [key, series] of all) {
        const from = firstAfter(series.times, beforeMs - 1)
        series.times = series.times.slice(from)
        series.samples = series.samples.slice(from)
        if (series.times.length === 0) all.delete(key)
      }
    },
    clear: () => all.clear(),
  }
}

function cut(series: StoredSeries, from: number, to: number): Series {
  const samples = series.samples.slice(from, to)
  return {
    labels: series.labels,
    timestamps: Float64Array.from(series.times.slice(from, to)),
    values: Float64Array.from(samples, ({ value }) => value),
    stale: samples.some(({ isStale }) => isStale)
      ? Uint8Array.from(samples, ({ isStale }) => Number(isStale))
      : null,
    histograms: samples.some(({ histogram }) => histogram !== null)
      ? histogramList(samples.map(({ histogram }) => histogram))
      : null,
    starts: samples.some(({ startMs }) => startMs !== 0)
      ? Float64Array.from(samples, ({ startMs }) => startMs)
      : null,
  }
}
