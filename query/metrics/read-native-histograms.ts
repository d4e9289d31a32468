import { hexOf } from '../../storage/block-columns.ts'
import type { Storage } from '../../storage/storage.ts'
import { createHistogramMemo } from './histogram-samples.ts'
import { NATIVE_HISTOGRAM_COLUMNS, nativeHistograms } from './native-histogram-columns.ts'
import { numbersIndex } from './numbers-index.ts'
import { readSamples, type SampleScope, scopeCondition, timesColumn } from './read-samples.ts'
import type { IndexedSeries } from './select-index.ts'
import { eachRow, type SeriesReader } from './series-reader.ts'

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
    columns: { times: timesColumn(scope), ...NATIVE_HISTOGRAM_COLUMNS },
    width: 24,
  } as const
  const memo = createHistogramMemo()
  for await (const block of readSamples(reader.storage, scope, read)) {
    const samplesAt = nativeHistograms(block, scope.fromMs, memo)
    eachRow(block, (id, row) => {
      const named = byId.get(id)
      if (named === undefined) return
      const samples = samplesAt(row)
      for (const { labels } of named) reader.collector.addHistograms(labels, samples)
    })
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
