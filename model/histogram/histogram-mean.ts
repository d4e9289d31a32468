import type { CounterResetHint, FloatHistogram } from '../float-histogram.ts'
import {
  accumulate,
  accumulated,
  createAccumulator,
  type HistogramAccumulator,
  scaleAccumulator,
} from './histogram-accumulator.ts'
import type { HistogramSum } from './histogram-sum.ts'
import { divideHistogram } from './scale-histogram.ts'

/**
 * The mean of histograms, as `avg` and `avg_over_time` of Prometheus 3.14: their sum divided by how many they are; from where the sum would not be
 * finite any more, a mean that moves with each histogram.
 */
export function createHistogramMean(): HistogramSum {
  let accumulator: HistogramAccumulator | null = null
  let added = 0
  let isMoving = false
  const hints = new Set<CounterResetHint>()
  return {
    add(histogram) {
      hints.add(histogram.counterResetHint)
      if (accumulator === null) {
        accumulator = createAccumulator(histogram)
        added = 1
        return true
      }
      if (!isMoving && wouldOverflow(accumulator, histogram)) {
        isMoving = true
        const before = added
        scaleAccumulator(accumulator, (value) => value / before)
      }
      const count = added + 1
      if (isMoving) {
        if (!accumulate(createAccumulator(histogram), accumulated(accumulator))) return false
        const share = added / count
        scaleAccumulator(accumulator, (value) => value * share)
        accumulate(accumulator, divideHistogram(histogram, count))
      } else if (!accumulate(accumulator, histogram)) return false
      added = count
      return true
    },
    result() {
      if (accumulator === null) return null
      const total = accumulated(accumulator)
      return isMoving ? total : divideHistogram(total, added)
    },
    hasResetCollision: () => hints.has('reset') && hints.has('not_reset'),
    wereBoundsReconciled: () => accumulator?.wereBoundsReconciled ?? false,
  }
}

/** Below that two numbers have a finite sum. */
const SAFE = Number.MAX_VALUE / 4

function wouldOverflow(accumulator: HistogramAccumulator, histogram: FloatHistogram): boolean {
  const { zeroCount, count, sum, positive, negative } = accumulator
  const isFarOff =
    isSafe(zeroCount.value) &&
    isSafe(count.value) &&
    isSafe(sum.value) &&
    positive.counts.every(isSafe) &&
    negative.counts.every(isSafe) &&
    numbersOf(histogram).every(isSafe)
  if (isFarOff) return false
  const attempt = createAccumulator(accumulated(accumulator))
  if (!accumulate(attempt, histogram)) return false
  return numbersOf(accumulated(attempt)).some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)
}

function isSafe(value: number): boolean {
  return Math.abs(value) < SAFE
}

function numbersOf(histogram: FloatHistogram): number[] {
  const { zeroCount, count, sum, positiveBuckets, negativeBuckets } = histogram
  return [zeroCount, count, sum, ...positiveBuckets, ...negativeBuckets]
}
