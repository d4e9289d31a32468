import type { FloatHistogram } from '../float-histogram.ts'
import { formatFloat } from '../template/format-float.ts'
import { type HistogramBucket, negativeBuckets, positiveBuckets, zeroBucket } from './histogram-buckets.ts'

/** A histogram as Prometheus writes it in texts and labels: `{count:3, sum:1.5, [-0.001,0.001]:1, (1,2]:2}`. Empty buckets are left out. */
export function histogramText(histogram: FloatHistogram): string {
  const buckets = [
    ...negativeBuckets(histogram).reverse(),
    zeroBucket(histogram),
    ...positiveBuckets(histogram),
  ].filter((bucket) => bucket.count !== 0)
  const parts = [`count:${shortest(histogram.count)}`, `sum:${shortest(histogram.sum)}`]
  return `{${[...parts, ...buckets.map(bucketText)].join(', ')}}`
}

function bucketText(bucket: HistogramBucket): string {
  const open = bucket.isLowerInclusive ? '[' : '('
  const close = bucket.isUpperInclusive ? ']' : ')'
  return `${open}${shortest(bucket.lower)},${shortest(bucket.upper)}${close}:${shortest(bucket.count)}`
}

function shortest(value: number): string {
  return formatFloat(value, 'g', -1)
}
