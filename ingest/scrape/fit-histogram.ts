import { CUSTOM_BUCKETS_SCHEMA } from '../../model/float-histogram.ts'
import { COARSEST_SCHEMA, FINEST_SCHEMA } from '../../model/histogram/bucket-bound.ts'
import { compactHistogram } from '../../model/histogram/compact-histogram.ts'
import { reduceResolution } from '../../model/histogram/reduce-resolution.ts'
import { AppError } from '../../runtime/errors.ts'
import { createProtobufWriter } from '../../runtime/protobuf-writer.ts'
import { WireReader } from '../otlp/wire-reader.ts'
import { HistogramReader } from '../prometheus/histogram-reader.ts'
import { encodeHistogram } from './encode-histogram.ts'
import type { ExposedHistogram } from './exposition.ts'

/** How fine native histograms may be. */
export interface HistogramLimits {
  /** Most buckets; 0: any number. */
  readonly nativeHistogramBucketLimit: number
  /** By how much a bucket's bound is at least greater than the one before; 1 or less: by anything. */
  readonly nativeHistogramMinBucketFactor: number
}

const wire = new WireReader()
const checker = new HistogramReader(wire)

/**
 * The histogram without empty buckets, as fine as is stored and as the limits allow: neighbouring buckets are merged. Throws
 * MALFORMED_MESSAGE with the metric's `name` when it contradicts itself (by the rules of remote write), and INTERNAL when it cannot be made to fit.
 */
export function fitHistogram(
  histogram: ExposedHistogram,
  limits: HistogramLimits,
  name: string,
): ExposedHistogram {
  const problem = problemOf(histogram)
  if (problem !== null) {
    throw new AppError(
      'MALFORMED_MESSAGE',
      `Cannot read the metrics: a histogram of ${JSON.stringify(name)} ${problem}`,
    )
  }
  const { isInteger } = histogram
  const most = limits.nativeHistogramBucketLimit
  let fit = reduceResolution(compactHistogram(histogram), finestSchema(limits.nativeHistogramMinBucketFactor))
  while (most > 0 && fit.positiveBuckets.length + fit.negativeBuckets.length > most) {
    if (fit.schema === CUSTOM_BUCKETS_SCHEMA || fit.schema <= COARSEST_SCHEMA) {
      throw new AppError('INTERNAL', 'Cannot scrape: histogram bucket limit exceeded')
    }
    fit = reduceResolution(fit, fit.schema - 1)
  }
  return { ...fit, isInteger }
}

/** The finest schema whose buckets grow by at least `factor` each (Prometheus' `native_histogram_min_bucket_factor`). */
export function finestSchema(factor: number): number {
  if (factor <= 1) return FINEST_SCHEMA
  const schema = Math.floor(0 - Math.log2(Math.log2(factor)))
  return Math.min(FINEST_SCHEMA, Math.max(COARSEST_SCHEMA, schema))
}

function problemOf(histogram: ExposedHistogram): string | null {
  const writer = createProtobufWriter()
  encodeHistogram(writer, histogram, 1, 0)
  const bytes = writer.finish()
  wire.begin(bytes)
  checker.read(bytes.length)
  return checker.problem()
}
