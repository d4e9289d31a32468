import type { Storage } from '../../storage/storage.ts'
import type { RankedSeries, SeriesSelection, SeriesStream } from '../promql/series-source.ts'
import { matchesAll } from './expand-series.ts'
import type { HasHistograms } from './histogram-presence.ts'
import { type NumberKind, type NumbersIndex, numbersIndex } from './numbers-index.ts'
import { numbersScope, readNumbers } from './read-numbers.ts'
import type { IndexedSeries } from './select-index.ts'

/**
 * The series of a selection as ClickHouse gives them, where each stands whole in one place: all in Prometheus' form without native histograms, or
 * all gauges and cumulative sums. Null: otherwise. `index`: what the index says to the selection, whose range is storable.
 */
export async function streamSeries(
  storage: Storage,
  selection: SeriesSelection,
  index: readonly IndexedSeries[],
  hasHistograms: HasHistograms,
): Promise<SeriesStream | null> {
  if (selection.wantsStarts === true) return null
  const isWanted = matchesAll(selection.matchers)
  const kind: NumberKind = index[0]?.kind === 'sample' ? 'samples' : 'points'
  const numbers = numbersIndex(kind, index, isWanted)
  if (!numbers.isAlone) return null
  const { tenant, signal } = selection
  if (kind === 'samples') {
    const scope = { tenant, metrics: numbers.metrics, ...(signal === undefined ? {} : { signal }) }
    if (await hasHistograms(storage, scope)) return null
  }
  const { isOneMetric, ids } = numbers
  return {
    isOneMetric,
    isEmpty: ids.length === 0,
    batches: batchesOf(kind, storage, selection, numbers),
  }
}

async function* batchesOf(
  kind: NumberKind,
  storage: Storage,
  selection: SeriesSelection,
  numbers: NumbersIndex,
): AsyncGenerator<readonly RankedSeries[]> {
  for await (const { ids, samplesOf, free } of readNumbers(
    kind,
    storage,
    numbersScope(selection, numbers),
    false,
  )) {
    const batch: RankedSeries[] = []
    for (let row = 0; row < ids.length; row += 1) {
      const named = numbers.byId.get(ids[row] as string)
      if (named === undefined) continue
      const { timestamps, values, stale } = samplesOf(row)
      for (const { labels, rank } of named)
        batch.push({ rank, series: { labels, timestamps, values, stale } })
    }
    yield batch.sort((a, b) => a.rank - b.rank)
    free()
  }
}
