import type { FloatHistogram } from '../../model/float-histogram.ts'
import type { Labels } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import type { PlanStatement } from './query-plan.ts'

/** One series with its samples. */
export interface Series {
  readonly labels: Labels
  /** Epoch milliseconds, ascending, no two equal. */
  readonly timestamps: Float64Array
  readonly values: Float64Array
  /** 1 where the sample only says that the series ended there; null: no such sample. */
  readonly stale: Uint8Array | null
  /** Where there is one, the sample is that native histogram and not the value beside it. Absent or null: no such sample. */
  readonly histograms?: readonly (FloatHistogram | null)[] | null
  /** When the counter behind each sample began to count, epoch milliseconds; 0: not known. Absent or null: not known of any. */
  readonly starts?: Float64Array | null
}

/** Which series, and which of their samples: those in (fromMs, toMs]. */
export interface SeriesSelection {
  readonly tenant: string
  readonly matchers: readonly Matcher[]
  /** Epoch milliseconds, exclusive. */
  readonly fromMs: number
  /** Epoch milliseconds, inclusive. */
  readonly toMs: number
  /** More samples than that are refused with RESULT_TOO_LARGE. */
  readonly maxSamples?: number
  /** Whether `Series.starts` are looked at; where they are not, a source may leave them out. */
  readonly wantsStarts?: boolean
  readonly signal?: AbortSignal
  /** Is told of every statement that is asked for it. */
  readonly onStatement?: (statement: PlanStatement) => void
}

/** Where the evaluator gets series from. No two series of an answer have equal labels; those without samples may be left out. */
export interface SeriesSource {
  selectSeries(selection: SeriesSelection): Promise<readonly Series[]>
}

/**
 * Samples that are not in the source yet, such as those a rule has just recorded: merged into what the source gives. Where both have a
 * sample at the same time the overlay's counts.
 */
export interface SeriesOverlay {
  selectSeries(selection: SeriesSelection): readonly Series[]
  /** Whether the overlay alone has everything that is selected, so that the source need not be asked; absent: never. */
  isComplete?(selection: SeriesSelection): boolean
}
