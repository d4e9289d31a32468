import type { FloatHistogram } from '../../model/float-histogram.ts'
import type { SequenceValue } from '../../query/promql/promqltest/parse-series.ts'
import { countsByIndex } from '../../query/promql/promqltest/stored-reset-hints.ts'

const TOLERANCE = 1e-6
const SMALLEST_NORMAL = 2 ** -1022

/** What an answer has at one moment: a number, or a native histogram beside which the number means nothing. */
export interface ActualValue {
  readonly value: number
  readonly histogram?: FloatHistogram | null | undefined
}

/** What is wrong with a value; null when it is as expected, within the tolerance of Prometheus' runner. */
export function compareValue(expected: SequenceValue | undefined, actual: ActualValue): string | null {
  const got = showValue(actual)
  if (expected === undefined) return `unexpected ${got}`
  const histogram = actual.histogram ?? null
  switch (expected.kind) {
    case 'stale':
      return `got ${got}, not a marker of staleness`
    case 'missing':
    case 'float': {
      const wanted = expected.kind === 'missing' ? 0 : expected.value
      if (histogram === null && isAlmostEqual(wanted, actual.value)) return null
      return `got ${got}, not ${wanted}`
    }
    case 'histogram': {
      if (histogram === null) return `got ${got}, not ${showHistogram(expected.histogram)}`
      const difference = differenceOf(expected.histogram, histogram, expected.isHintSet)
      if (difference === null) return null
      return `got ${showHistogram(histogram)}, not ${showHistogram(expected.histogram)}: ${difference}`
    }
  }
}

/** Prometheus' `almost.Equal`. */
export function isAlmostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true
  if (a === b) return true
  const sum = Math.abs(a) + Math.abs(b)
  const difference = Math.abs(a - b)
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE
}

/** The part in which two histograms differ; empty buckets are as if they were not there. The hint is compared when `withHint`. */
export function differenceOf(a: FloatHistogram, b: FloatHistogram, withHint: boolean): string | null {
  if (a.schema !== b.schema) return 'schema'
  if (!isAlmostEqual(a.count, b.count)) return 'count'
  if (!isAlmostEqual(a.sum, b.sum)) return 'sum'
  if (a.zeroThreshold !== b.zeroThreshold) return 'zero threshold'
  if (!isAlmostEqual(a.zeroCount, b.zeroCount)) return 'zero bucket'
  if (String(a.customValues) !== String(b.customValues)) return 'custom values'
  if (!areBucketsEqual(countsOf(a, 'positive'), countsOf(b, 'positive'))) return 'buckets'
  if (!areBucketsEqual(countsOf(a, 'negative'), countsOf(b, 'negative'))) return 'negative buckets'
  return withHint && a.counterResetHint !== b.counterResetHint ? 'counter reset hint' : null
}

/** A value as messages show it. */
export function showValue({ value, histogram = null }: ActualValue): string {
  return histogram === null ? String(value) : showHistogram(histogram)
}

function countsOf(histogram: FloatHistogram, side: 'positive' | 'negative'): ReadonlyMap<number, number> {
  return side === 'positive'
    ? countsByIndex(histogram.positiveSpans, histogram.positiveBuckets)
    : countsByIndex(histogram.negativeSpans, histogram.negativeBuckets)
}

function areBucketsEqual(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  if (a.size !== b.size) return false
  return [...a].every(([index, count]) => b.has(index) && isAlmostEqual(count, b.get(index) ?? Number.NaN))
}

function showHistogram(histogram: FloatHistogram): string {
  const { schema, count, sum, zeroCount, zeroThreshold, customValues, counterResetHint } = histogram
  const buckets = (side: 'positive' | 'negative') =>
    [...countsOf(histogram, side)].map(([index, inBucket]) => `${index}=${inBucket}`).join(' ')
  return `{{schema:${schema} count:${count} sum:${sum} z_bucket:${zeroCount} z_bucket_w:${zeroThreshold} buckets:[${buckets('positive')}] n_buckets:[${buckets('negative')}] custom_values:[${customValues.join(' ')}] ${counterResetHint}}}`
}
