import { compareLabels, type Labels } from '../../model/labels.ts'
import { AppError } from '../../runtime/errors.ts'
import type { Storage } from '../../storage/storage.ts'
import { mergeSeries } from '../promql/evaluator/load-samples.ts'
import type { Series, SeriesSelection, SeriesSource } from '../promql/series-source.ts'
import { bucketLabels, type LabelsTest, matchesAll, namedLabels, quantileLabels } from './expand-series.ts'
import { readSamples, type SampleRow, storableRange } from './read-samples.ts'
import { ascendingOrder, type StoredNumber, storedNumber, toSeries } from './samples.ts'
import { type IndexedSeries, type SeriesKind, selectIndex } from './select-index.ts'

/** Bit of a point's flags: there is no value, the series has ended. */
const NO_RECORDED_VALUE = 'bitAnd(flags, 1)'
const EVERY_ROW = '1'

/**
 * Series out of ClickHouse, sorted by labels, as PromQL knows them: gauges, sums and what rules recorded; of a histogram `_bucket`, `_sum` and `_count`, of a
 * summary its quantiles, `_sum` and `_count`. Sums and histograms of delta temporality are running sums that begin at 0 where the
 * selection begins. Exponential histograms are left out.
 */
export function createClickHouseSource(storage: Storage): SeriesSource {
  return {
    async selectSeries(selection) {
      const { tenant, matchers, signal } = selection
      const isWanted = matchesAll(matchers)
      const { fromMs } = storableRange(selection)
      const index = await selectIndex(storage, { tenant, matchers, fromMs, signal })
      const reader = { storage, selection, isWanted, baseMs: fromMs }
      const lists = await Promise.all([
        readPoints(reader, index),
        readRecorded(reader, index),
        readHistograms(reader, index),
        readSummaries(reader, index),
      ])
      const series = lists.flat()
      refuseTooMany(series, selection)
      return [...mergeSeries(series)].sort((a, b) => compareLabels(a.labels, b.labels))
    },
  }
}

interface Reader {
  readonly storage: Storage
  readonly selection: SeriesSelection
  readonly isWanted: LabelsTest
  readonly baseMs: number
}

interface ValueRow extends SampleRow {
  readonly sampleValues: readonly StoredNumber[]
}

async function readPoints(reader: Reader, index: readonly IndexedSeries[]): Promise<Series[]> {
  const kinds = ['gauge', 'sum'] as const
  const { metrics, byId } = ofKinds(index, kinds)
  const rows = await readSamples<ValueRow>(reader.storage, reader.selection, {
    table: 'metric_points',
    kinds,
    metrics,
    groupBy: [],
    arrays: { sampleValues: 'value' },
    stale: NO_RECORDED_VALUE,
    condition: `value_kind != 'e' OR ${NO_RECORDED_VALUE} = 1`,
  })
  return rows.flatMap((row) => plainSeries(reader, byId, row))
}

async function readRecorded(reader: Reader, index: readonly IndexedSeries[]): Promise<Series[]> {
  const kinds = ['sample'] as const
  const { metrics, byId } = ofKinds(index, kinds)
  const rows = await readSamples<ValueRow>(reader.storage, reader.selection, {
    table: 'metric_samples',
    kinds,
    metrics,
    groupBy: [],
    arrays: { sampleValues: 'value' },
    stale: 'is_stale',
    condition: EVERY_ROW,
  })
  return rows.flatMap((row) => plainSeries(reader, byId, row))
}

function plainSeries(reader: Reader, byId: ReadonlyMap<string, IndexedSeries[]>, row: ValueRow): Series[] {
  const values = row.sampleValues.map(storedNumber)
  const order = ascendingOrder(row.times)
  return (byId.get(row.seriesId) ?? []).flatMap((series) => {
    const labels = namedLabels(series, '')
    if (!reader.isWanted(labels)) return []
    return [toSeries(labels, { ...row, baseMs: reader.baseMs, values, order, isDelta: series.isDelta })]
  })
}

interface HistogramRow extends SampleRow {
  readonly totals: readonly number[]
  /** Absent where they were not asked for. */
  readonly sums?: readonly StoredNumber[]
  readonly hasSum?: readonly number[]
  readonly bounds?: readonly StoredNumber[]
  readonly buckets?: readonly (readonly number[])[]
}

async function readHistograms(reader: Reader, index: readonly IndexedSeries[]): Promise<Series[]> {
  const kinds = ['histogram'] as const
  const { metrics, byId } = ofKinds(index, kinds)
  const wanted = wantedParts(reader, index)
  const rows = await readSamples<HistogramRow>(reader.storage, reader.selection, {
    table: 'metric_histograms',
    kinds,
    metrics,
    groupBy: wanted.buckets ? ['bounds'] : [],
    arrays: {
      totals: 'toFloat64(count)',
      ...(wanted.sum ? { sums: 'sum', hasSum: 'bitAnd(present, 1)' } : {}),
      ...(wanted.buckets ? { buckets: 'arrayMap(x -> toFloat64(x), counts)' } : {}),
    },
    stale: NO_RECORDED_VALUE,
    condition: EVERY_ROW,
  })
  return rows.flatMap((row) =>
    (byId.get(row.seriesId) ?? []).flatMap((series) => histogramSeries(reader, series, row)),
  )
}

function histogramSeries(reader: Reader, series: IndexedSeries, row: HistogramRow): Series[] {
  const order = ascendingOrder(row.times)
  const made: Series[] = []
  const add = (labels: Labels, values: readonly number[], rows = order) => {
    if (!reader.isWanted(labels)) return
    const { baseMs } = reader
    made.push(toSeries(labels, { ...row, baseMs, values, order: rows, isDelta: series.isDelta }))
  }
  add(namedLabels(series, '_count'), row.totals)
  if (row.sums !== undefined) {
    // Senders may leave the sum out: of values that can be negative there is none that only grows.
    const all = order ?? row.times.map((_, i) => i)
    const withSum = all.filter((i) => row.hasSum?.[i] === 1 || row.stale[i] === 1)
    if (withSum.length > 0) add(namedLabels(series, '_sum'), row.sums.map(storedNumber), withSum)
  }
  const { buckets } = row
  if (row.bounds === undefined || buckets === undefined) return made
  const bounds = row.bounds.map(storedNumber)
  for (const [at, labels] of bucketLabels(series, bounds).entries()) {
    if (!reader.isWanted(labels)) continue
    const isLast = at >= bounds.length || bounds[at] === Number.POSITIVE_INFINITY
    // A bucket of Prometheus counts all that are below its bound; the last one is the count itself.
    add(labels, isLast ? row.totals : buckets.map((counts) => sumOf(counts, at + 1)))
  }
  return made
}

interface SummaryRow extends SampleRow {
  readonly quantiles: readonly StoredNumber[]
  readonly totals: readonly number[]
  readonly sums: readonly StoredNumber[]
  readonly quantileValues: readonly (readonly StoredNumber[])[]
}

async function readSummaries(reader: Reader, index: readonly IndexedSeries[]): Promise<Series[]> {
  const kinds = ['summary'] as const
  const { metrics, byId } = ofKinds(index, kinds)
  const rows = await readSamples<SummaryRow>(reader.storage, reader.selection, {
    table: 'metric_summaries',
    kinds,
    metrics,
    groupBy: ['quantiles'],
    arrays: { totals: 'toFloat64(count)', sums: 'sum', quantileValues: 'quantile_values' },
    stale: NO_RECORDED_VALUE,
    condition: EVERY_ROW,
  })
  return rows.flatMap((row) => {
    const order = ascendingOrder(row.times)
    return (byId.get(row.seriesId) ?? []).flatMap((series) => {
      const parts: (readonly [Labels, readonly number[]])[] = [
        [namedLabels(series, '_count'), row.totals],
        [namedLabels(series, '_sum'), row.sums.map(storedNumber)],
        ...quantileLabels(series, row.quantiles.map(storedNumber)).map(
          (labels, at) =>
            [labels, row.quantileValues.map((values) => storedNumber(values[at] ?? 'nan'))] as const,
        ),
      ]
      return parts
        .filter(([labels]) => reader.isWanted(labels))
        .map(([labels, values]) =>
          toSeries(labels, { ...row, baseMs: reader.baseMs, values, order, isDelta: false }),
        )
    })
  })
}

/** The index rows of some kinds, by id: one id has several when a translation of names has changed. */
function ofKinds(index: readonly IndexedSeries[], kinds: readonly SeriesKind[]) {
  const byId = new Map<string, IndexedSeries[]>()
  const metrics = new Set<string>()
  for (const series of index) {
    if (!kinds.includes(series.kind)) continue
    metrics.add(series.metric)
    byId.set(series.id, [...(byId.get(series.id) ?? []), series])
  }
  return { byId, metrics: [...metrics] }
}

/** Which parts of histograms are asked for: buckets are much to read. Their bounds are not known yet, so `le` is not looked at. */
function wantedParts({ selection, isWanted }: Reader, index: readonly IndexedSeries[]) {
  const histograms = index.filter(({ kind }) => kind === 'histogram')
  const isBucketWanted = matchesAll(selection.matchers.filter(({ name }) => name !== 'le'))
  return {
    sum: histograms.some((series) => isWanted(namedLabels(series, '_sum'))),
    buckets: histograms.some((series) => isBucketWanted(namedLabels(series, '_bucket'))),
  }
}

function sumOf(counts: readonly number[], length: number): number {
  let sum = 0
  for (let i = 0; i < length; i += 1) sum += counts[i] ?? 0
  return sum
}

function refuseTooMany(series: readonly Series[], { maxSamples }: SeriesSelection): void {
  if (maxSamples === undefined) return
  let total = 0
  for (const { timestamps } of series) total += timestamps.length
  if (total <= maxSamples) return
  throw new AppError(
    'RESULT_TOO_LARGE',
    'query processing would load too many samples into memory in query execution',
  )
}
