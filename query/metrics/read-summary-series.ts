import { nestedArraysOf, numberArraysOf } from '../../storage/block-columns.ts'
import { namedLabels, quantileLabels } from './expand-series.ts'
import { readSamples, timesColumn } from './read-samples.ts'
import type { IndexedSeries } from './select-index.ts'
import {
  eachSeries,
  NO_RECORDED_VALUE,
  ofKinds,
  rowOf,
  type SeriesReader,
  staleColumn,
} from './series-reader.ts'

/** Reads summaries: their quantiles, `_sum` and `_count`. */
export async function readSummaries(reader: SeriesReader, index: readonly IndexedSeries[]): Promise<void> {
  const { byId, scope } = ofKinds(reader, index, ['summary'])
  const read = {
    name: 'metrics.summaries',
    table: 'otlp_summaries',
    groupBy: ['quantiles'],
    columns: {
      times: timesColumn(scope),
      marks: staleColumn(NO_RECORDED_VALUE),
      counts: 'groupArray(toFloat64(count))',
      sums: 'groupArray(sum)',
      numbers: 'groupArray(quantile_values)',
    },
    width: 8,
  } as const
  for await (const block of readSamples(reader.storage, scope, read)) {
    const column = (name: string) => numberArraysOf(block, name)
    const quantiles = nestedArraysOf(block, 'numbers')
    eachSeries(block, byId, (found, row) => {
      const times = rowOf(column('times'), row) ?? []
      const first = row === 0 ? 0 : (quantiles.ends[row - 1] as number)
      for (const series of found) {
        const add = (labels: ReturnType<typeof namedLabels>, values: ArrayLike<number>) => {
          if (!reader.isWanted(labels)) return
          const stale = rowOf(column('marks'), row)
          reader.collector.add(labels, { baseMs: scope.fromMs, times, values, stale, starts: null })
        }
        add(namedLabels(series, '_count'), rowOf(column('counts'), row) ?? [])
        add(namedLabels(series, '_sum'), rowOf(column('sums'), row) ?? [])
        const named = quantileLabels(series, Array.from(rowOf(column('quantiles'), row) ?? []))
        for (const [at, labels] of named.entries()) {
          const values = Array.from({ length: times.length }, (_, i) => {
            return rowOf(quantiles.inner, first + i)?.[at] ?? Number.NaN
          })
          add(labels, values)
        }
      }
    })
    reader.checkSize()
  }
}
