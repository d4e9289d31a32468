import { availableParallelism } from 'node:os'
import type { Clock } from '../../runtime/clock.ts'
import { FEW_CORES } from '../../runtime/few-cores.ts'
import type { Storage } from '../../storage/storage.ts'
import type { GridRequest, SeriesSelection, SeriesSource } from '../promql/series-source.ts'
import { tooManySamples } from '../promql/too-many-samples.ts'
import { createSeriesCollector } from './collect-series.ts'
import { matchesAll } from './expand-series.ts'
import type { GridAbilities } from './grids/check-grid-functions.ts'
import { createGridAbilities } from './grids/grid-abilities.ts'
import { selectGrids } from './grids/select-grids.ts'
import { createHistogramPresence } from './histogram-presence.ts'
import { createIndexMemory } from './index-memory.ts'
import { readExponentialHistograms } from './read-exponential-histograms.ts'
import { readHistograms } from './read-histogram-series.ts'
import { readNativeHistograms } from './read-native-histograms.ts'
import { readPoints, readRecorded } from './read-number-series.ts'
import { storableRange } from './read-samples.ts'
import { readSummaries } from './read-summary-series.ts'
import type { SeriesReader } from './series-reader.ts'
import { streamSeries } from './stream-series.ts'
import { watchStatements } from './watch-statements.ts'
import { createWindowMemory, type SampleChanges } from './window-memory.ts'

/** How questions are answered. */
export interface ClickHouseSourceOptions {
  /**
   * `pushdown`: ClickHouse computes whatever it can; `raw`: nothing, everything is computed here from samples; `auto` (default): what
   * is cheaper there.
   */
  readonly path?: 'auto' | 'pushdown' | 'raw'
  /** What is written; absent: known only that something is, and that only of a database without other writers. */
  readonly changes?: SampleChanges
  /** Cores that ClickHouse computes on; default: those of this machine for the embedded one, as many as one likes for a server. */
  readonly cores?: number
  /** Is told once which functions are not left to this ClickHouse, and why. */
  readonly onRefused?: (refused: GridAbilities['refused']) => void
}

/**
 * Series out of ClickHouse, sorted by labels, as PromQL knows them: gauges, sums and samples in Prometheus' form; of a histogram `_bucket`, `_sum`
 * and `_count`, of a summary its quantiles, `_sum` and `_count`; exponential histograms as native ones. What was sent as differences (delta
 * temporality) is the sum of all of it that is stored, up to each sample.
 */
export function createClickHouseSource(
  storage: Storage,
  clock: Clock,
  options: ClickHouseSourceOptions = {},
): SeriesSource {
  const { path = 'auto', onRefused } = options
  const cores =
    options.cores ?? (storage.kind === 'server' ? Number.POSITIVE_INFINITY : availableParallelism())
  const indexOf = createIndexMemory()
  const hasHistograms = createHistogramPresence()
  const changes = options.changes ?? changesOf(storage)
  const windows = path === 'auto' && changes !== null ? createWindowMemory(changes) : null
  const abilities = createGridAbilities(storage, clock, onRefused)
  return {
    ...(path === 'raw'
      ? {}
      : {
          async selectGrids(request) {
            const reason = path === 'auto' ? whyRaw(request, cores) : null
            if (reason !== null) return { isComputed: false, reason }
            const watched = watchStatements(storage, clock, request.onStatement)
            const [able, index] = await Promise.all([abilities(), indexOf(watched, request)])
            return selectGrids(watched, request, index, { abilities: able, hasHistograms, windows })
          },
        }),
    async streamSeries(selection) {
      const watched = watchStatements(storage, clock, selection.onStatement)
      const index = await indexOf(watched, selection)
      return streamSeries(watched, { ...selection, ...storableRange(selection) }, index, hasHistograms)
    },
    async selectSeries(selection) {
      const range = storableRange(selection)
      const watched = watchStatements(storage, clock, selection.onStatement)
      const index = await indexOf(watched, selection)
      const collector = createSeriesCollector()
      const reader: SeriesReader = {
        storage: watched,
        selection: { ...selection, ...range },
        isWanted: matchesAll(selection.matchers),
        hasHistograms,
        windows,
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

/** What samples are assumed to be apart from each other when it is decided which way is cheaper, milliseconds. */
const ASSUMED_STEP_MS = 15_000

/** Any change is taken for one of everything. */
function changesOf(storage: Storage): SampleChanges | null {
  if (storage.revision('prom_samples') === null) return null
  return {
    generation: () => storage.revision('prom_samples') ?? 0,
    changedSince: (generation) =>
      storage.revision('prom_samples') === generation ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
  }
}

/** Why a unit is better computed here; null: it is not. Grids take ClickHouse three times the CPU time, but on all cores. */
function whyRaw({ aggregate, moments, fromMs, toMs }: GridRequest, cores: number): string | null {
  if (moments.count > 1 && cores <= FEW_CORES) return 'grids take longer on few cores'
  // The values that are to be sent would be more than the samples.
  const isLarger = aggregate === null && moments.count > 2 + (2 * (toMs - fromMs)) / ASSUMED_STEP_MS
  return isLarger ? 'there are fewer samples than moments' : null
}

function refuseTooMany(samples: number, { maxSamples }: SeriesSelection): void {
  if (maxSamples === undefined || samples <= maxSamples) return
  throw tooManySamples()
}
