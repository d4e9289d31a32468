import type { Clock } from '../../runtime/clock.ts'
import { AppError } from '../../runtime/errors.ts'
import type { Storage } from '../../storage/storage.ts'
import type { SeriesSelection, SeriesSource } from '../promql/series-source.ts'
import { createSeriesCollector } from './collect-series.ts'
import { matchesAll } from './expand-series.ts'
import { readExponentialHistograms } from './read-exponential-histograms.ts'
import { readHistograms } from './read-histogram-series.ts'
import { readNativeHistograms } from './read-native-histograms.ts'
import { readPoints, readRecorded } from './read-number-series.ts'
import { storableRange } from './read-samples.ts'
import { readSummaries } from './read-summary-series.ts'
import { selectIndex } from './select-index.ts'
import type { SeriesReader } from './series-reader.ts'
import { watchStatements } from './watch-statements.ts'

/**
 * Series out of ClickHouse, sorted by labels, as PromQL knows them: gauges, sums and samples in Prometheus' form; of a histogram `_bucket`, `_sum`
 * and `_count`, of a summary its quantiles, `_sum` and `_count`; exponential histograms as native ones. What was sent as differences (delta
 * temporality) is the sum of all of it that is stored, up to each sample.
 */
export function createClickHouseSource(storage: Storage, clock: Clock): SeriesSource {
  return {
    async selectSeries(selection) {
      const { tenant, matchers, signal } = selection
      const range = storableRange(selection)
      const watched = watchStatements(storage, clock, selection.onStatement)
      const index = await selectIndex(watched, { tenant, matchers, fromMs: range.fromMs, signal })
      const collector = createSeriesCollector()
      const reader: SeriesReader = {
        storage: watched,
        selection: { ...selection, ...range },
        isWanted: matchesAll(matchers),
        collector,
        checkSize: () => refuseTooMany(collector.samples, selection),
      }
      await Promise.all(
        [
          readPoints,
          readRecorded,
          readNativeHistograms,
          readHistograms,
          readSummaries,
          readExponentialHistograms,
        ].map((read) => read(reader, index)),
      )
      return collector.finish()
    },
  }
}

function refuseTooMany(samples: number, { maxSamples }: SeriesSelection): void {
  if (maxSamples === undefined || samples <= maxSamples) return
  throw new AppError(
    'RESULT_TOO_LARGE',
    'query processing would load too many samples into memory in query execution',
  )
}
