import { numberArraysOf, numbersOf } from '../../storage/block-columns.ts'
import type { Storage } from '../../storage/storage.ts'
import { readBases } from './read-bases.ts'
import type { SampleScope } from './read-samples.ts'
import { rowOf } from './series-reader.ts'

/** For each bucket what is counted up to its bound. */
export const CUMULATED_COUNTS = 'arrayCumSum(arrayMap(x -> toFloat64(x), counts))'

/** What the differences of a histogram before a range come to. */
export interface HistogramBase {
  readonly id: string
  /** Empty where buckets were not asked for. */
  readonly bounds: ArrayLike<number>
  readonly total: number
  readonly sum: number
  /** By bucket, cumulated; empty when they were not asked for. */
  readonly cumulated: ArrayLike<number>
}

/** What came before a range on its first day, of each series (and of each list of bounds that it had). */
export interface HistogramBases {
  /** Null: nothing. */
  of(id: string, bounds: ArrayLike<number> | null): HistogramBase | null
  /** Those that nobody has asked for. */
  left(): Iterable<HistogramBase>
}

/** What differences of histograms come to before a scope's range; see {@link readBases}. `groupBy`: `bounds`, or nothing: then without buckets. */
export async function readHistogramBases(
  storage: Storage,
  scope: SampleScope,
  groupBy: readonly string[],
): Promise<HistogramBases> {
  const withBounds = groupBy.length > 0
  const rows = await readBases(storage, scope, {
    name: 'metrics.histogramBases',
    table: 'otlp_histograms',
    groupBy,
    isEndless: false,
    sums: [
      { name: 'total', value: 'toFloat64(count)', sum: 'sum', greatest: 'count' },
      { name: 'sums', value: 'toFloat64(sum)', sum: 'sum', greatest: 'sum' },
      ...(withBounds
        ? [{ name: 'cumulated', value: CUMULATED_COUNTS, sum: 'sumForEach', greatest: 'count' } as const]
        : []),
    ],
  })
  const keyOf = (id: string, bounds: ArrayLike<number> | null) =>
    `${id} ${Array.from(bounds ?? []).join(' ')}`
  const bases = new Map<string, HistogramBase>()
  for (const { id, block, row } of rows) {
    const bounds = withBounds ? rowOf(numberArraysOf(block, 'bounds'), row) : null
    bases.set(keyOf(id, bounds), {
      id,
      bounds: bounds ?? [],
      total: Number(numbersOf(block, 'total')[row]),
      sum: Number(numbersOf(block, 'sums')[row]),
      cumulated: withBounds ? (rowOf(numberArraysOf(block, 'cumulated'), row) ?? []) : [],
    })
  }
  const left = new Map(bases)
  return {
    of(id, bounds) {
      left.delete(keyOf(id, bounds))
      return bases.get(keyOf(id, bounds)) ?? null
    },
    left: () => left.values(),
  }
}
