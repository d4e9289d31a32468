import type { Labels } from '../../model/labels.ts'
import { nestedArraysOf, numberArraysOf } from '../../storage/block-columns.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import { MAX_START_AGE_MS, onlyBase } from './accumulate-deltas.ts'
import { bucketLabels, matchesAll, namedLabels } from './expand-series.ts'
import { CUMULATED_COUNTS, type HistogramBase, readHistogramBases } from './read-histogram-bases.ts'
import { deltaColumns } from './read-number-series.ts'
import { readSamples, timesColumn } from './read-samples.ts'
import type { IndexedSeries } from './select-index.ts'
import {
  eachSeries,
  NO_RECORDED_VALUE,
  ofKinds,
  readByTemporality,
  rowOf,
  type SeriesReader,
  STARTS_COLUMN,
  staleColumn,
} from './series-reader.ts'

/** Reads histograms with bounds of their own: their `_bucket`s, `_sum` and `_count`. */
export async function readHistograms(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  await readByTemporality(reader, index, readCumulative, readDeltas)
}

async function readCumulative(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['histogram'])
  if (byId.size === 0) return
  const wanted = wantedParts(reader, [...byId.values()].flat())
  const wantsStarts = reader.selection.wantsStarts === true
  const read = {
    name: 'metrics.histograms',
    table: 'otlp_histograms',
    groupBy: wanted.buckets ? ['bounds'] : [],
    columns: {
      times: timesColumn(scope),
      marks: staleColumn(NO_RECORDED_VALUE),
      ...partColumns(wanted),
      ...(wantsStarts ? { starts: STARTS_COLUMN } : {}),
    },
    width: wanted.buckets ? 16 : 4,
  } as const
  for await (const block of readSamples(reader.storage, scope, read)) {
    const parts = partsOf(block, wanted)
    eachSeries(block, byId, (found, row) => {
      const times = rowOf(numberArraysOf(block, 'times'), row) ?? []
      const stale = rowOf(numberArraysOf(block, 'marks'), row)
      const starts = wantsStarts ? rowOf(numberArraysOf(block, 'starts'), row) : null
      for (const series of found) {
        for (const { labels, values, only } of parts(series, row, times.length, stale)) {
          if (!reader.isWanted(labels)) continue
          const take = (list: ArrayLike<number>) =>
            only === null ? list : only.map((i) => list[i] as number)
          reader.collector.add(labels, {
            baseMs: scope.fromMs,
            times: take(times),
            values: take(values),
            stale: stale === null ? null : take(stale),
            starts: starts === null ? null : take(starts),
          })
        }
      }
    })
    reader.checkSize()
  }
}

async function readDeltas(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['histogram'])
  if (byId.size === 0) return
  const wanted = wantedParts(reader, [...byId.values()].flat())
  const groupBy = wanted.buckets ? ['bounds'] : []
  const bases = await readHistogramBases(reader.storage, scope, groupBy)
  const columns = { ...deltaColumns({}), ...partColumns(wanted) }
  const read = {
    name: 'metrics.histogramDeltas',
    table: 'otlp_histograms',
    groupBy,
    columns,
    width: 16,
  } as const
  const ahead = { ...scope, toMs: scope.toMs + MAX_START_AGE_MS }
  for await (const block of readSamples(reader.storage, ahead, read)) {
    const parts = partsOf(block, wanted)
    const nanos = numberArraysOf(block, 'nanos')
    const marks = numberArraysOf(block, 'marks')
    const starts = numberArraysOf(block, 'starts')
    const bounds = wanted.buckets ? numberArraysOf(block, 'bounds') : null
    eachSeries(block, byId, (found, row) => {
      const times = rowOf(nanos, row) ?? []
      const stale = rowOf(marks, row)
      for (const series of found) {
        const base = bases.of(series.id, bounds === null ? [] : rowOf(bounds, row))
        for (const { labels, values, only, part } of parts(series, row, times.length, stale)) {
          if (!reader.isWanted(labels)) continue
          const take = (list: ArrayLike<number>) =>
            only === null ? list : only.map((i) => list[i] as number)
          reader.collector.addDeltas(labels, {
            baseMs: scope.fromMs,
            untilMs: scope.toMs,
            nanos: take(times),
            values: take(values),
            stale: stale === null ? null : take(stale),
            starts: take(rowOf(starts, row) ?? []),
            base: base === null ? null : baseOf(base, part),
            isEndless: false,
          })
        }
      }
    })
    reader.checkSize()
  }
  for (const base of bases.left()) {
    for (const series of byId.get(base.id) ?? []) {
      for (const [labels, part] of labelledParts(series, base.bounds, wanted)) {
        if (reader.isWanted(labels))
          reader.collector.addDeltas(labels, onlyBase(scope, baseOf(base, part), false))
      }
    }
  }
}

/** The labels of all series of a histogram with these bounds. */
function* labelledParts(
  series: IndexedSeries,
  bounds: ArrayLike<number>,
  wanted: WantedParts,
): Generator<readonly [Labels, HistogramPart['part']]> {
  yield [namedLabels(series, '_count'), 'count']
  if (wanted.sum) yield [namedLabels(series, '_sum'), 'sum']
  if (!wanted.buckets) return
  const limits = Array.from(bounds)
  for (const [at, labels] of bucketLabels(series, limits).entries()) {
    yield [labels, isLastBucket(limits, at) ? 'count' : at]
  }
}

/** The last bucket of Prometheus is the count itself. */
function isLastBucket(limits: readonly number[], at: number): boolean {
  return at >= limits.length || limits[at] === Number.POSITIVE_INFINITY
}

function baseOf({ total, sum, cumulated }: HistogramBase, part: HistogramPart['part']): number {
  if (part === 'sum') return sum
  return part === 'count' ? total : (cumulated[part] ?? total)
}

function partColumns(wanted: WantedParts): Record<string, string> {
  return {
    totals: 'groupArray(toFloat64(count))',
    ...(wanted.sum ? { sums: 'groupArray(sum)', hasSum: 'groupArray(bitAnd(present, 1))' } : {}),
    ...(wanted.buckets ? { cumulated: `groupArray(${CUMULATED_COUNTS})` } : {}),
  }
}

/** One series of a histogram. */
export interface HistogramPart {
  readonly labels: Labels
  /** Which one; a number: the bucket of that place. */
  readonly part: 'count' | 'sum' | number
  readonly values: ArrayLike<number>
  /** The samples that it has; null: all. */
  readonly only: readonly number[] | null
}

/** Which parts of histograms are read. */
export interface WantedParts {
  readonly sum: boolean
  readonly buckets: boolean
}

/** Makes the function that gives the series that a row of histograms holds; columns `totals`, `sums`, `hasSum`, `bounds`, `cumulated`. */
export function partsOf(block: ColumnBlock, wanted: WantedParts) {
  const totals = numberArraysOf(block, 'totals')
  const sums = wanted.sum ? numberArraysOf(block, 'sums') : null
  const hasSum = wanted.sum ? numberArraysOf(block, 'hasSum') : null
  const bounds = wanted.buckets ? numberArraysOf(block, 'bounds') : null
  const cumulated = wanted.buckets ? nestedArraysOf(block, 'cumulated') : null
  return function* (
    series: IndexedSeries,
    row: number,
    count: number,
    stale: ArrayLike<number> | null,
  ): Generator<HistogramPart> {
    const total = rowOf(totals, row) ?? []
    const counts =
      cumulated === null
        ? null
        : bucketCounts(cumulated, row === 0 ? 0 : (cumulated.ends[row - 1] as number), count)
    const limits = bounds === null ? null : rowOf(bounds, row)
    for (const [labels, part] of labelledParts(series, limits ?? [], wanted)) {
      if (part !== 'sum') {
        // A bucket of Prometheus counts all that are below its bound.
        yield { labels, part, values: part === 'count' || counts === null ? total : counts(part), only: null }
        continue
      }
      // Senders may leave the sum out: of values that can be negative there is none that only grows.
      const flags = hasSum === null ? null : rowOf(hasSum, row)
      const only: number[] = []
      for (let i = 0; i < count; i += 1) if (flags?.[i] === 1 || stale?.[i] === 1) only.push(i)
      if (only.length === 0 || sums === null) continue
      yield { labels, part, values: rowOf(sums, row) ?? [], only: only.length === count ? null : only }
    }
  }
}

/** Makes the function that gives the counts up to a bucket, of `count` histograms from one on. A histogram of fewer buckets has all in its last one. */
function bucketCounts(
  { inner: { ends, values } }: ReturnType<typeof nestedArraysOf>,
  first: number,
  count: number,
): (bucket: number) => Float64Array {
  return (bucket) => {
    const counts = new Float64Array(count)
    for (let i = 0; i < count; i += 1) {
      const from = first + i === 0 ? 0 : (ends[first + i - 1] as number)
      const buckets = (ends[first + i] as number) - from
      if (buckets > 0) counts[i] = Number(values[from + Math.min(bucket, buckets - 1)])
    }
    return counts
  }
}

/** Which parts of histograms are asked for: buckets are much to read. Their bounds are not known yet, so `le` is not looked at. */
export function wantedParts(
  { selection, isWanted }: Pick<SeriesReader, 'selection' | 'isWanted'>,
  histograms: readonly IndexedSeries[],
): WantedParts {
  const isBucketWanted = matchesAll(selection.matchers.filter(({ name }) => name !== 'le'))
  return {
    sum: histograms.some((series) => isWanted(namedLabels(series, '_sum'))),
    buckets: histograms.some((series) => isBucketWanted(namedLabels(series, '_bucket'))),
  }
}
