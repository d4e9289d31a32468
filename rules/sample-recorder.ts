import { randomUUID } from 'node:crypto'
import type { FloatHistogram } from '../model/float-histogram.ts'
import { type Labels, METRIC_NAME } from '../model/labels.ts'
import { createMemorySeriesSource } from '../query/promql/memory-series-source.ts'
import type { SeriesOverlay, SeriesSelection } from '../query/promql/series-source.ts'
import { errorMessage } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'

/** A sample that a rule made. */
export interface RecordedSample {
  /** With the metric's name. */
  readonly labels: Labels
  /** Epoch milliseconds. */
  readonly timestampMs: number
  readonly value: number
  /** The sample is this native histogram, and `value` means nothing. */
  readonly histogram?: FloatHistogram
  /** It only says that the series ended there. */
  readonly isStale: boolean
}

/** Brings recorded samples to where queries find them; the same token once. Throws when it could not. */
export type WriteSamples = (
  tenant: string,
  samples: readonly RecordedSample[],
  token: string,
) => Promise<void>

/** Takes what rules record: at once visible to the queries of other rules, and written in larger pieces. */
export interface SampleRecorder {
  /** What was recorded lately, for the engine. */
  readonly overlay: SeriesOverlay
  record(samples: readonly RecordedSample[]): void
  /** Writes what is not yet written. Never throws: what cannot be written is kept for the next time, up to a bound. */
  flush(): Promise<void>
}

/** What a recorder works with. */
export interface SampleRecorderOptions {
  readonly tenant: string
  readonly write: WriteSamples
  /**
   * Since when a metric is recorded here and nowhere else, epoch milliseconds; null: it is not. What it has had since then and lately is not
   * read from storage. Default: no metric.
   */
  readonly ownSince?: (metric: string) => number | null
  readonly logger: Logger
  /** Called with the number of samples that were given up because they could not be written for long. */
  readonly onDropped: (samples: number) => void
}

interface Batch {
  readonly samples: readonly RecordedSample[]
  readonly token: string
}

/** Samples that wait for storage to come back; the oldest are given up beyond that. */
const MAX_WAITING = 500_000
/** How long recorded samples are kept in memory: longer than an instant selector looks back. */
const OVERLAY_MS = 6 * 60_000

/** Makes a recorder of one tenant. */
export function createSampleRecorder(options: SampleRecorderOptions): SampleRecorder {
  const { tenant, write, logger, onDropped } = options
  const recent = createMemorySeriesSource()
  let fresh: RecordedSample[] = []
  /** Batches in the order in which they were made; each keeps its token until it is written. */
  const waiting: Batch[] = []
  let newestMs = Number.NEGATIVE_INFINITY
  let running: Promise<void> | null = null
  /** Samples after that are still in memory. */
  let keptFromMs = Number.NEGATIVE_INFINITY

  const isComplete = ({ matchers, fromMs }: SeriesSelection): boolean => {
    const metric = matchers.find(({ name, op }) => name === METRIC_NAME && op === '=')?.value
    const sinceMs = metric === undefined ? null : (options.ownSince?.(metric) ?? null)
    return sinceMs !== null && fromMs >= sinceMs && fromMs >= keptFromMs
  }

  const giveUpOldest = (): void => {
    let total = waiting.reduce((sum, { samples }) => sum + samples.length, 0)
    while (total > MAX_WAITING && waiting.length > 1) {
      const dropped = waiting.shift()?.samples.length ?? 0
      total -= dropped
      onDropped(dropped)
    }
  }

  const writeWaiting = async (): Promise<void> => {
    for (let batch = waiting[0]; batch !== undefined; batch = waiting[0]) {
      try {
        await write(tenant, batch.samples, batch.token)
        waiting.shift()
      } catch (error) {
        const reason = errorMessage(error)
        logger.warn({ event: 'rule-samples-not-written', samples: batch.samples.length, reason })
        giveUpOldest()
        return
      }
    }
    // What is written is found by the source; the overlay only bridges the moment until then.
    recent.trim(newestMs - OVERLAY_MS)
    keptFromMs = Math.max(keptFromMs, newestMs - OVERLAY_MS)
  }

  return {
    overlay: { ...recent.overlay, isComplete },
    record(samples) {
      for (const sample of samples) {
        const { labels, timestampMs, value, histogram, isStale } = sample
        if (histogram === undefined) recent.append(labels, timestampMs, value, isStale)
        else recent.appendHistogram(labels, timestampMs, histogram)
        newestMs = Math.max(newestMs, sample.timestampMs)
        fresh.push(sample)
      }
    },
    async flush() {
      while (running !== null) await running
      if (fresh.length > 0) waiting.push({ samples: fresh, token: `rules ${randomUUID()}` })
      fresh = []
      if (waiting.length === 0) return
      running = writeWaiting().finally(() => {
        running = null
      })
      await running
    },
  }
}
