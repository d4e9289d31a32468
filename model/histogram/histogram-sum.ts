import type { CounterResetHint, FloatHistogram } from '../float-histogram.ts'
import {
  accumulate,
  accumulated,
  createAccumulator,
  type HistogramAccumulator,
} from './histogram-accumulator.ts'

/** Histograms being summed up or averaged. */
export interface HistogramSum {
  /** False, and nothing has changed, when it has its own bounds and the others have not, or the other way round. */
  add(histogram: FloatHistogram): boolean
  /** Null: nothing was added. May have empty buckets: see compactHistogram. */
  result(): FloatHistogram | null
  /** Some were known to follow a reset and others not to. */
  hasResetCollision(): boolean
  /** Histograms with different bounds were brought to the bounds they have in common. */
  wereBoundsReconciled(): boolean
}

/** Adds histograms up, making good for what roundings lose, as `sum` and `sum_over_time` of Prometheus 3.14. */
export function createHistogramSum(): HistogramSum {
  let accumulator: HistogramAccumulator | null = null
  const hints = new Set<CounterResetHint>()
  return {
    add(histogram) {
      hints.add(histogram.counterResetHint)
      if (accumulator !== null) return accumulate(accumulator, histogram)
      accumulator = createAccumulator(histogram)
      return true
    },
    result: () => (accumulator === null ? null : accumulated(accumulator)),
    hasResetCollision: () => hints.has('reset') && hints.has('not_reset'),
    wereBoundsReconciled: () => accumulator?.wereBoundsReconciled ?? false,
  }
}
