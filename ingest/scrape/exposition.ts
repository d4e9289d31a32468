import type { FloatHistogram } from '../../model/float-histogram.ts'
import type { MetadataType } from '../prometheus/metadata-types.ts'

/** What an exposition says about a metric family. */
export interface ExposedMetadata {
  type: MetadataType
  help: string
  unit: string
}

/** An exemplar beside a sample. `timestampMs` null: not told. */
export interface ExposedExemplar {
  readonly labels: readonly (readonly [string, string])[]
  readonly value: number
  readonly timestampMs: number | null
}

/** A native histogram as it is exposed: not checked, its schema perhaps finer than is stored. */
export interface ExposedHistogram extends FloatHistogram {
  /** Whether it counts in integers, which must add up. */
  readonly isInteger: boolean
}

/** One sample of a page. */
export interface ExposedSample {
  /** Equal texts are the same series. */
  readonly series: string
  /** Makes name (as `__name__`) and labels, for a series that is not known yet; null: `series` is what the page says, for `parseSeriesText`. */
  readonly labels: (() => readonly (readonly [string, string])[]) | null
  /** A label that holds a number, and is to be written as OpenMetrics writes it; null: there is none. */
  readonly numberLabel: 'le' | 'quantile' | null
  /** Of a native histogram: its sum. */
  readonly value: number
  readonly histogram: ExposedHistogram | null
  /** Null: the scrape's time counts. */
  readonly timestampMs: number | null
  /** When it began to count, epoch milliseconds; 0: not told. */
  readonly startMs: number
  readonly exemplars: readonly ExposedExemplar[]
}

/** A scraped page. */
export interface Exposition {
  readonly samples: readonly ExposedSample[]
  /** By the family's name. */
  readonly metadata: ReadonlyMap<string, ExposedMetadata>
}

/** No exemplars: most samples have none. */
export const NO_EXEMPLARS: readonly ExposedExemplar[] = []
