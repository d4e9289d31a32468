import type { Labels } from '../model/labels.ts'
import { createMemorySeriesSource } from '../query/promql/memory-series-source.ts'
import type { SeriesOverlay } from '../query/promql/series-source.ts'
import { errorMessage } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'

/** A sample that a rule made. */
export interface RecordedSample {
  /** With the metric's name. */
  readonly labels: Labels
  /** Epoch milliseconds. */
  readonly timestampMs: number
  readonly value: number
  /** It only says that the series ended there. */
  readonly isStale: boolean
}

/** Brings recorded samples to where queries find them. Throws when it could not; trying the same again must be harmless. */
export type WriteSamples = (tenant: string, samples: readonly RecordedSample[]) => Promise<void>

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
  readonly logger: Logger
  /** Called with the number of samples that were given up because they could not be written for long. */
  readonly onDropped: (samples: number) => void
}

/** Samples that wait for storage to come back; the oldest are given up beyond that. */
const MAX_WAITING = 500_000
/** How long recorded samples are kept in memory: longer than an instant selector looks back. */
const OVERLAY_MS = 6 * 60_000

/** Makes a recorder of one tenant. */
export function createSampleRecorder(options: SampleRecorderOptions): SampleRecorder {
  const { tenant, write, logger, onDropped } = options
  const recent = createMemorySeriesSource()
  let waiting: RecordedSample[] = []
  let newestMs = Number.NEGATIVE_INFINITY
  let running: Promise<void> | null = null

  const writeWaiting = async (): Promise<void> => {
    const batch = waiting
    waiting = []
    try {
      await write(tenant, batch)
      // What is written is found by the source; the overlay only bridges the moment until then.
      recent.trim(newestMs - OVERLAY_MS)
    } catch (error) {
      logger.warn({ event: 'rule-samples-not-written', samples: batch.length, reason: errorMessage(error) })
      waiting = [...batch, ...waiting]
      const excess = waiting.length - MAX_WAITING
      if (excess <= 0) return
      waiting = waiting.slice(excess)
      onDropped(excess)
    }
  }

  return {
    overlay: recent.overlay,
    record(samples) {
      for (const sample of samples) {
        recent.append(sample.labels, sample.timestampMs, sample.value, sample.isStale)
        newestMs = Math.max(newestMs, sample.timestampMs)
        waiting.push(sample)
      }
    },
    async flush() {
      while (running !== null) await running
      if (waiting.length === 0) return
      running = writeWaiting().finally(() => {
        running = null
      })
      await running
    },
  }
}
