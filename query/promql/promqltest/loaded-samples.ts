import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { type Labels, labelsKey } from '../../../model/labels.ts'
import { customBucketHistograms } from './custom-bucket-histograms.ts'
import type { SeriesDescription } from './parse-series.ts'
import { storedResetHints } from './stored-reset-hints.ts'

/** A sample that a script loads. */
export interface LoadedSample {
  readonly labels: Labels
  /** Epoch milliseconds. */
  readonly timestampMs: number
  /** NaN beside a histogram. */
  readonly value: number
  readonly isStale: boolean
  readonly histogram: FloatHistogram | null
  /** When the counter behind it began to count, epoch milliseconds; 0: not known. */
  readonly startMs: number
}

/** A series that a script loads. */
export interface LoadedSeries extends SeriesDescription {
  /** When the counter behind each sample began, relative to the sample, milliseconds; null: not known (of any). */
  readonly startOffsetsMs: readonly (number | null)[] | null
}

/** What series are loaded, and how. */
export interface LoadOptions {
  /** When the first value stands, epoch milliseconds; default 0. */
  readonly startMs?: number
  /** From one value to the next, milliseconds. */
  readonly stepMs: number
  /** Classic histograms are loaded as native ones, too. */
  readonly withCustomBuckets?: boolean
}

/**
 * The samples that series in the notation of tests stand for, series by series, each ascending. Throws Error when classic histograms
 * cannot be made native.
 */
export function loadedSamples(
  series: readonly LoadedSeries[],
  options: LoadOptions,
): readonly LoadedSample[] {
  const { startMs: beginMs = 0, stepMs, withCustomBuckets = false } = options
  // Of descriptions of one series the last one counts, as in Prometheus' runner.
  const described = [...new Map(series.map((one) => [labelsKey(one.labels), one])).values()]
  const made = withCustomBuckets ? customBucketHistograms(described) : []
  const all = [...described, ...made.map((one) => ({ ...one, startOffsetsMs: null }))]
  return all.flatMap(({ labels, values, startOffsetsMs }) =>
    storedResetHints(values).flatMap((value, index): LoadedSample[] => {
      if (value.kind === 'missing') return []
      const timestampMs = beginMs + index * stepMs
      const offsetMs = startOffsetsMs?.[index] ?? null
      const startMs = offsetMs === null ? 0 : timestampMs + offsetMs
      const histogram = value.kind === 'histogram' ? value.histogram : null
      const number = value.kind === 'float' ? value.value : Number.NaN
      return [{ labels, timestampMs, value: number, isStale: value.kind === 'stale', histogram, startMs }]
    }),
  )
}
