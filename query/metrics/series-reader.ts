import { hexOf } from '../../storage/block-columns.ts'
import type { ColumnBlock, NumberArray } from '../../storage/column-block.ts'
import type { Storage } from '../../storage/storage.ts'
import type { SeriesSelection } from '../promql/series-source.ts'
import type { SeriesCollector } from './collect-series.ts'
import type { LabelsTest } from './expand-series.ts'
import type { HasHistograms } from './histogram-presence.ts'
import type { SeriesKind } from './index-condition.ts'
import type { SampleScope } from './read-samples.ts'
import type { IndexedSeries } from './select-index.ts'
import type { WindowMemory } from './window-memory.ts'

/** What the readers of the tables of points need to know about one selection. */
export interface SeriesReader {
  readonly storage: Storage
  /** Its range is storable. */
  readonly selection: SeriesSelection
  readonly isWanted: LabelsTest
  readonly hasHistograms: HasHistograms
  /** Null: samples are always read anew. */
  readonly windows: WindowMemory | null
  /** Gets what is read. */
  readonly collector: SeriesCollector
  /** Throws RESULT_TOO_LARGE when the collector has more than the selection may have. */
  readonly checkSize: () => void
}

/** Bit of a point's flags: there is no value, the series has ended. */
export const NO_RECORDED_VALUE = 'bitAnd(flags, 1)'

/** The index rows of some kinds by id, and the scope in which their samples are read. One id has several rows when a translation of names has changed. */
export function ofKinds(
  { selection }: SeriesReader,
  index: readonly IndexedSeries[],
  kinds: readonly SeriesKind[],
): { readonly byId: ReadonlyMap<string, readonly IndexedSeries[]>; readonly scope: SampleScope } {
  const byId = new Map<string, IndexedSeries[]>()
  const metrics = new Set<string>()
  for (const series of index) {
    if (!kinds.includes(series.kind)) continue
    metrics.add(series.metric)
    const before = byId.get(series.id)
    if (before === undefined) byId.set(series.id, [series])
    else before.push(series)
  }
  return { byId, scope: { ...selection, metrics: [...metrics], ids: [...byId.keys()] } }
}

/** Visits the rows of a block that belong to series of the index. */
export function eachSeries(
  block: ColumnBlock,
  byId: ReadonlyMap<string, readonly IndexedSeries[]>,
  visit: (series: readonly IndexedSeries[], row: number) => void,
): void {
  eachRow(block, (id, row) => {
    const series = byId.get(id)
    if (series !== undefined) visit(series, row)
  })
}

/** Visits the rows of a block with the ids of their series. */
export function eachRow(block: ColumnBlock, visit: (id: string, row: number) => void): void {
  const ids = hexOf(block, 'series')
  for (let row = 0; row < ids.length; row += 1) visit(ids[row] as string, row)
}

/** Row i of a column of arrays of numbers, as a view; null when it is empty. */
export function rowOf(
  { ends, values }: { readonly ends: Float64Array; readonly values: NumberArray },
  row: number,
): Exclude<NumberArray, BigInt64Array | BigUint64Array> | null {
  const from = row === 0 ? 0 : (ends[row - 1] as number)
  const to = ends[row] as number
  if (from === to || values instanceof BigInt64Array || values instanceof BigUint64Array) return null
  return values.subarray(from, to)
}

/** The expression for an array of marks, empty when none is set. */
export function staleColumn(stale: string): string {
  return `if(max(${stale}) = 0, [], groupArray(toUInt8(${stale})))`
}

/** The expression for the times at which samples' counters began, epoch milliseconds. */
export const STARTS_COLUMN = 'groupArray(toFloat64(toUnixTimestamp64Milli(start)))'

/** The index rows of cumulative series, and those of series whose samples are differences, each read by its own reader. */
export async function readByTemporality(
  reader: SeriesReader,
  index: readonly IndexedSeries[],
  readCumulative: (reader: SeriesReader, index: readonly IndexedSeries[]) => Promise<void>,
  readDeltas: (reader: SeriesReader, index: readonly IndexedSeries[]) => Promise<void>,
): Promise<void> {
  const cumulative = index.filter(({ isDelta }) => !isDelta)
  const deltas = index.filter(({ isDelta }) => isDelta)
  await Promise.all([readCumulative(reader, cumulative), readDeltas(reader, deltas)])
}
