import type { CounterResetHint, FloatHistogram, HistogramSpan } from '../../model/float-histogram.ts'
import { hexOf, numberArraysOf, numbersOf } from '../../storage/block-columns.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import type { Storage } from '../../storage/storage.ts'
import type { HistogramSample } from './collect-series.ts'
import { numbersIndex } from './numbers-index.ts'
import { readSamples, type SampleScope, scopeCondition } from './read-samples.ts'
import type { IndexedSeries } from './select-index.ts'
import { rowOf, type SeriesReader } from './series-reader.ts'

const HINTS: readonly CounterResetHint[] = ['unknown', 'reset', 'not_reset', 'gauge']

/** Reads the samples of series in Prometheus' form that are native histograms. */
export async function readNativeHistograms(
  reader: SeriesReader,
  index: readonly IndexedSeries[],
): Promise<void> {
  const { byId, metrics, ids } = numbersIndex('samples', index, reader.isWanted)
  const whole = { ...reader.selection, metrics, ids }
  if (!(await reader.hasHistograms(reader.storage, whole))) return
  const scope = { ...whole, ids: await readHistogramIds(reader.storage, whole) }
  const read = {
    name: 'metrics.nativeHistograms',
    table: 'prom_histograms',
    // Each sample is a row: histograms are of many sizes.
    groupBy: [
      'toFloat64(toUnixTimestamp64Milli(ts)) AS timeMs',
      'toFloat64(toUnixTimestamp64Milli(start)) AS startMs',
      ...FIELDS,
    ],
    columns: {},
    width: 64,
  } as const
  for await (const block of readSamples(reader.storage, scope, read)) {
    const samples = samplesOf(block)
    for (const [id, list] of samples) {
      for (const { labels } of byId.get(id) ?? []) reader.collector.addHistograms(labels, list)
    }
    reader.checkSize()
  }
}

/** The series of a scope that have native histograms. */
export async function readHistogramIds(storage: Storage, scope: SampleScope): Promise<string[]> {
  if (scope.ids.length === 0 || scope.toMs <= scope.fromMs) return []
  const { sql, params } = scopeCondition(scope, null)
  const { blocks } = await storage.selectColumns({
    name: 'metrics.histogramIds',
    tenant: scope.tenant,
    sql: `SELECT DISTINCT series FROM prom_histograms WHERE ${sql}`,
    params,
    ...(scope.signal === undefined ? {} : { signal: scope.signal }),
  })
  const wanted = new Set(blocks.length === 0 ? [] : scope.ids)
  return blocks.flatMap((block) => hexOf(block, 'series')).filter((id) => wanted.has(id))
}

const FIELDS = [
  'reset_hint',
  'schema',
  'zero_threshold',
  'zero_count',
  'count',
  'sum',
  'positive_offsets',
  'positive_lengths',
  'positive_counts',
  'negative_offsets',
  'negative_lengths',
  'negative_counts',
  'custom_values',
] as const

function samplesOf(block: ColumnBlock): Map<string, HistogramSample[]> {
  const bySeries = new Map<string, HistogramSample[]>()
  const number = (name: string) => {
    const column = numbersOf(block, name)
    return (row: number) => Number(column[row])
  }
  const list = (name: string) => {
    const column = numberArraysOf(block, name)
    return (row: number) => Array.from(rowOf(column, row) ?? [])
  }
  const [timeMs, startMs, hint, schema] = ['timeMs', 'startMs', 'reset_hint', 'schema'].map(number)
  const [zeroThreshold, zeroCount, count, sum] = ['zero_threshold', 'zero_count', 'count', 'sum'].map(number)
  const side = (name: string) => {
    const [offsets, lengths, counts] = ['offsets', 'lengths', 'counts'].map((part) => list(`${name}_${part}`))
    return (row: number) => ({
      spans: spansOf(offsets?.(row) ?? [], lengths?.(row) ?? []),
      buckets: counts?.(row) ?? [],
    })
  }
  const positive = side('positive')
  const negative = side('negative')
  const customValues = list('custom_values')
  for (const [row, id] of hexOf(block, 'series').entries()) {
    const above = positive(row)
    const below = negative(row)
    const histogram: FloatHistogram = {
      schema: schema?.(row) ?? 0,
      zeroThreshold: zeroThreshold?.(row) ?? 0,
      zeroCount: zeroCount?.(row) ?? 0,
      count: count?.(row) ?? 0,
      sum: sum?.(row) ?? 0,
      positiveSpans: above.spans,
      positiveBuckets: above.buckets,
      negativeSpans: below.spans,
      negativeBuckets: below.buckets,
      customValues: customValues(row),
      counterResetHint: HINTS[hint?.(row) ?? 0] ?? 'unknown',
    }
    const sample = { timeMs: timeMs?.(row) ?? 0, histogram, startMs: startMs?.(row) ?? 0 }
    const before = bySeries.get(id)
    if (before === undefined) bySeries.set(id, [sample])
    else before.push(sample)
  }
  return bySeries
}

function spansOf(offsets: readonly number[], lengths: readonly number[]): HistogramSpan[] {
  return offsets.map((offset, i) => ({ offset, length: lengths[i] ?? 0 }))
}
