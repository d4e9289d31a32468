import { type Labels, labelsKey, labelValue } from '../../model/labels.ts'
import { compileMatcher } from '../../model/matcher.ts'
import type { Series, SeriesOverlay, SeriesSelection, SeriesSource } from './series-source.ts'

/** Series in memory, of one tenant: for scripts, unit tests of rules, and as overlay of what was just recorded. */
export interface MemorySeriesSource extends SeriesSource {
  /** Adds a sample. Samples may come in any order; a second one at the same time replaces the first. */
  append(labels: Labels, timestampMs: number, value: number, isStale?: boolean): void
  /** The same series as a {@link SeriesOverlay}. */
  readonly overlay: SeriesOverlay
  /** Forgets samples older than that, and series that have no others. */
  trim(beforeMs: number): void
  clear(): void
}

interface StoredSeries {
  readonly labels: Labels
  times: number[]
  values: number[]
  stale: boolean[]
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

  return {
    selectSeries: async (selection) => select(selection),
    overlay: { selectSeries: select },
    append(labels, timestampMs, value, isStale = false) {
      const key = labelsKey(labels)
      let series = all.get(key)
      if (series === undefined) {
        series = { labels, times: [], values: [], stale: [] }
        all.set(key, series)
      }
      const at = firstAfter(series.times, timestampMs)
      const replaced = at > 0 && series.times[at - 1] === timestampMs ? 1 : 0
      series.times.splice(at - replaced, replaced, timestampMs)
      series.values.splice(at - replaced, replaced, value)
      series.stale.splice(at - replaced, replaced, isStale)
    },
    trim(beforeMs) {
      for (const [key, series] of all) {
        const from = firstAfter(series.times, beforeMs - 1)
        series.times = series.times.slice(from)
        series.values = series.values.slice(from)
        series.stale = series.stale.slice(from)
        if (series.times.length === 0) all.delete(key)
      }
    },
    clear: () => all.clear(),
  }
}

function cut(series: StoredSeries, from: number, to: number): Series {
  const stale = series.stale.slice(from, to)
  return {
    labels: series.labels,
    timestamps: Float64Array.from(series.times.slice(from, to)),
    values: Float64Array.from(series.values.slice(from, to)),
    stale: stale.includes(true) ? Uint8Array.from(stale, Number) : null,
  }
}

/** Index of the first time that is greater. */
function firstAfter(times: readonly number[], time: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] ?? 0) <= time) low = middle + 1
    else high = middle
  }
  return low
}
