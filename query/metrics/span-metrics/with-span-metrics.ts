import type { Clock } from '../../../runtime/clock.ts'
import type { Storage } from '../../../storage/storage.ts'
import { mergeSeries } from '../../promql/evaluator/load-samples.ts'
import type { SeriesSource } from '../../promql/series-source.ts'
import { createSpanMetricsSource } from './create-span-metrics-source.ts'
import { matchingFamilies } from './span-metric-conditions.ts'

/**
 * A source together with the metrics that are made of spans. Where a sender has stored series of the same names and labels, its samples count at times
 * that both have one.
 */
export function withSpanMetrics(stored: SeriesSource, storage: Storage, clock: Clock): SeriesSource {
  const made = createSpanMetricsSource(storage, clock)
  const { selectGrids, streamSeries } = stored
  return {
    async selectSeries(selection) {
      if (matchingFamilies(selection.matchers).length === 0) return stored.selectSeries(selection)
      const lists = await Promise.all([made.selectSeries(selection), stored.selectSeries(selection)])
      return mergeSeries(...lists)
    },
    ...(streamSeries === undefined
      ? {}
      : {
          async streamSeries(selection) {
            const others = await streamSeries.call(stored, selection)
            if (matchingFamilies(selection.matchers).length === 0 || others === null) return others
            return others.isEmpty ? made.streamSeries(selection) : null
          },
        }),
    ...(selectGrids === undefined
      ? {}
      : {
          async selectGrids(request) {
            if (matchingFamilies(request.matchers).length === 0) return selectGrids.call(stored, request)
            return { isComputed: false, reason: 'some series that may match are made of spans' }
          },
        }),
  }
}
