import type { FloatHistogram } from '../float-histogram.ts'
import { accumulate, accumulated, createAccumulator } from './histogram-accumulator.ts'

/** A sum or a difference, and what a caller should tell. */
export interface HistogramOutcome {
  /** May have empty buckets: see compactHistogram. */
  readonly histogram: FloatHistogram
  /** One was known to follow a reset and the other not to: "conflicting counter resets". */
  readonly hasResetCollision: boolean
  /** Both have their own bounds, but not the same: only those in common are left. */
  readonly wereBoundsReconciled: boolean
}

/**
 * `a + b` as Prometheus adds native histograms; null when one has its own bounds and the other has not. The hint: equal ones stay, a gauge makes a
 * gauge, anything else is unknown.
 */
export function addHistograms(a: FloatHistogram, b: FloatHistogram): HistogramOutcome | null {
  return combine(a, b, 1)
}

/** `a - b`, by the rules of {@link addHistograms}; the operator `-` of PromQL makes the outcome a gauge, which is left to the caller. */
export function subtractHistograms(a: FloatHistogram, b: FloatHistogram): HistogramOutcome | null {
  return combine(a, b, -1)
}

function combine(a: FloatHistogram, b: FloatHistogram, sign: 1 | -1): HistogramOutcome | null {
  const accumulator = createAccumulator(a)
  if (!accumulate(accumulator, b, sign)) return null
  const { hasResetCollision, wereBoundsReconciled } = accumulator
  return { histogram: accumulated(accumulator), hasResetCollision, wereBoundsReconciled }
}
