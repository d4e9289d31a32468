import type { Storage } from '../../storage/storage.ts'
import type { SeriesSelection } from '../promql/series-source.ts'
import { storableRange } from './read-samples.ts'
import { type IndexedSeries, selectIndex } from './select-index.ts'

/** Reads the index for a selection. */
export type ReadIndex = (storage: Storage, selection: SeriesSelection) => Promise<readonly IndexedSeries[]>

/** A reader of the index that reads it once for the same selection of the same query. */
export function createIndexMemory(): ReadIndex {
  const byQuery = new WeakMap<object, Map<string, Promise<readonly IndexedSeries[]>>>()
  return (storage, { tenant, matchers, signal, query, ...range }) => {
    const { fromMs } = storableRange(range)
    const read = () => selectIndex(storage, { tenant, matchers, fromMs, signal })
    if (query === undefined) return read()
    let known = byQuery.get(query)
    if (known === undefined) {
      known = new Map()
      byQuery.set(query, known)
    }
    const key = JSON.stringify([tenant, fromMs, matchers])
    const before = known.get(key)
    if (before !== undefined) return before
    const index = read()
    known.set(key, index)
    return index
  }
}
