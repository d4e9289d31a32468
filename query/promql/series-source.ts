import type { Labels } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import type { HistogramList } from './histogram-list.ts'
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
  readonly histograms?: HistogramList | null
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
  /** The same object for all selections of one query: what is learned for one may be kept for the others. */
  readonly query?: object
  /** Is told of every statement that is asked for it. */
  readonly onStatement?: (statement: PlanStatement) => void
}

/** Where the evaluator gets series from. No two series of an answer have equal labels; those without samples may be left out. */
export interface SeriesSource {
  selectSeries(selection: SeriesSelection): Promise<readonly Series[]>
  /** The same series as they become known; null: they are known only all at once; absent: always so. */
  streamSeries?(selection: SeriesSelection): Promise<SeriesStream | null>
  /** Computes a part of a query itself, or says why it does not; absent: it never does. */
  selectGrids?(request: GridRequest): Promise<GridAnswer>
}

/** Series in whatever order they become known. None has native histograms or start times. */
export interface SeriesStream {
  /** All have the same name, and no other label of special meaning: they differ without it, too. */
  readonly isOneMetric: boolean
  /** There are no series. */
  readonly isEmpty: boolean
  /**
   * To be read once, to the end or until it is given up; in a batch by ascending rank. The samples of a batch are good until the next one is asked for.
   * Throws what `selectSeries` throws.
   */
  readonly batches: AsyncIterable<readonly RankedSeries[]>
}

/** A series and its place by labels among all of a stream. */
export interface RankedSeries {
  readonly rank: number
  readonly series: Series
}

/** What a source may be able to compute at moments of a grid from the samples of a window that ends there. */
export type GridFunction =
  /** The newest sample, unless it says that the series has ended: an instant selector. */
  | 'latest'
  | 'last_over_time'
  | 'present_over_time'
  | 'rate'
  | 'increase'
  | 'delta'
  | 'irate'
  | 'idelta'
  | 'resets'
  | 'changes'

/** Aggregations that a source may be able to do as well. */
export type GridAggregation = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group'

/** A part of a query: a function of the samples that a selector has in a window before each moment of a grid. `fromMs` and `toMs` span all windows. */
export interface GridRequest extends SeriesSelection {
  readonly compute: GridFunction
  /** Length of the window, its beginning exclusive, milliseconds. */
  readonly windowMs: number
  /** The moments at which windows end: `startMs`, `startMs + stepMs` …, `count` of them. */
  readonly moments: { readonly startMs: number; readonly stepMs: number; readonly count: number }
  readonly aggregate: {
    readonly op: GridAggregation
    readonly grouping: readonly string[]
    readonly isWithout: boolean
  } | null
}

/** The values of one series, or of one group of series, at the moments of a grid; they count where `present` is 1. */
export interface GridSeriesAnswer {
  /** Of a series all, its name included; of a group those that it is grouped by. */
  readonly labels: Labels
  readonly values: Float64Array
  readonly present: Uint8Array
}

/** What a source computed, or the reason why it did not. */
export type GridAnswer =
  | {
      readonly isComputed: true
      readonly series: readonly GridSeriesAnswer[]
      /** The names of the metrics that the answer comes from. */
      readonly metrics: readonly string[]
      /** Why this way. */
      readonly reason: string
    }
  | { readonly isComputed: false; readonly reason: string }

/**
 * Samples that are not in the source yet, such as those a rule has just recorded: merged into what the source gives. Where both have a
 * sample at the same time the overlay's counts.
 */
export interface SeriesOverlay {
  selectSeries(selection: SeriesSelection): readonly Series[]
  /** Whether the overlay alone has everything that is selected, so that the source need not be asked; absent: never. */
  isComplete?(selection: SeriesSelection): boolean
}
