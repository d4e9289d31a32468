import { createQueryEngine, type QueryEngineOptions } from '../../query/promql/create-query-engine.ts'
import { createMemorySeriesSource } from '../../query/promql/memory-series-source.ts'
import type { LoadedSample } from '../../query/promql/promqltest/loaded-samples.ts'
import type { QueryEngine } from '../../query/promql/query-engine.ts'
import { systemClock } from '../../runtime/clock.ts'

/** Where a script's samples go, and who answers its questions. */
export interface ScriptTarget {
  /** The tenant that `load` writes to now; each `clear` begins a new one. */
  tenant(): string
  load(samples: readonly LoadedSample[]): Promise<void>
  clear(): Promise<void>
  /** Each must give what the script expects, and all the same. At least one. */
  readonly engines: readonly QueryEngine[]
  close(): Promise<void>
}

/** What Prometheus' own runner sets, too; but of samples ten times as many, because those that are not there are counted here, too. */
export const SCRIPT_OPTIONS = {
  maxSamples: 100_000,
  isNameRemovalDelayed: true,
  usesStartTimestamps: true,
} as const satisfies Omit<QueryEngineOptions, 'source' | 'clock'>

/** Samples in memory, behind the evaluator alone. */
export function openMemoryTarget(): ScriptTarget {
  const source = createMemorySeriesSource()
  return {
    tenant: () => 'conformance',
    load: async (samples) => {
      for (const { labels, timestampMs, value, isStale, histogram, startMs } of samples) {
        if (histogram === null) source.append(labels, timestampMs, value, isStale, startMs)
        else source.appendHistogram(labels, timestampMs, histogram, startMs)
      }
    },
    clear: async () => source.clear(),
    engines: [createQueryEngine({ source, clock: systemClock, ...SCRIPT_OPTIONS })],
    close: async () => undefined,
  }
}
