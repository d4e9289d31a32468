import type { FloatHistogram } from '../float-histogram.ts'
import { histogramBuckets } from './histogram-buckets.ts'

/** Which bounds belong to a bucket: 0 the upper, 1 the lower, 2 none, 3 both. */
export type BoundaryRule = 0 | 1 | 2 | 3

/** A native histogram in answers of Prometheus' HTTP API; without buckets there is no member of that name. */
export interface HistogramJson {
  readonly count: string
  readonly sum: string
  readonly buckets?: readonly (readonly [BoundaryRule, string, string, string])[]
}

/** A histogram for the HTTP API: only buckets with something in them, ascending. `format` writes numbers as the API does. */
export function histogramJson(histogram: FloatHistogram, format: (value: number) => string): HistogramJson {
  const buckets = histogramBuckets(histogram)
    .filter((bucket) => bucket.count !== 0)
    .map((bucket): readonly [BoundaryRule, string, string, string] => {
      const rule = bucket.isLowerInclusive
        ? bucket.isUpperInclusive
          ? 3
          : 1
        : bucket.isUpperInclusive
          ? 0
          : 2
      return [rule, format(bucket.lower), format(bucket.upper), format(bucket.count)]
    })
  const totals = { count: format(histogram.count), sum: format(histogram.sum) }
  return buckets.length === 0 ? totals : { ...totals, buckets }
}
