import { LRUCache } from 'lru-cache'
import type { Storage } from '../../storage/storage.ts'
import type { SeriesSelection } from '../promql/series-source.ts'
import { storableRange } from './read-samples.ts'
import { type IndexedSeries, selectIndex } from './select-index.ts'

/** Reads the index for a selection. */
export type ReadIndex = (storage: Storage, selection: SeriesSelection) => Promise<readonly IndexedSeries[]>

interface Remembered {
  readonly revision: number
  readonly index: readonly IndexedSeries[]
}

/** Series remembered over all selections: some 500 bytes each. */
const MAX_SERIES = 100_000
const DAY_MS = 86_400_000

/**
 * A reader of the index that reads it once for the same selection of the same query; and where it is known that nothing was written since, not
 * again for later queries.
 */
export function createIndexMemory(): ReadIndex {
  const byQuery = new WeakMap<object, Map<string, Promise<readonly IndexedSeries[]>>>()
  const remembered = new LRUCache<string, Remembered>({
    maxSize: MAX_SERIES,
    sizeCalculation: ({ index }) => index.length + 1,
  })
  return (storage, { tenant, matchers, signal, query, ...range }) => {
    const { fromMs } = storableRange(range)
    // The index knows days.
    const key = JSON.stringify([tenant, Math.floor(fromMs / DAY_MS), matchers])
    const revision = storage.revision('prom_series')
    const known = remembered.get(key)
    if (known !== undefined && known.revision === revision) return Promise.resolve(known.index)

    const ofQuery = query === undefined ? undefined : (byQuery.get(query) ?? new Map())
    if (query !== undefined && ofQuery !== undefined) byQuery.set(query, ofQuery)
    const before = ofQuery?.get(key)
    if (before !== undefined) return before
    const reading = selectIndex(storage, { tenant, matchers, fromMs, signal }).then((index) => {
      if (revision !== null && index.length < MAX_SERIES) remembered.set(key, { revision, index })
      return index
    })
    ofQuery?.set(key, reading)
    return reading
  }
}
