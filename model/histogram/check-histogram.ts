import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram, type HistogramSpan } from '../float-histogram.ts'
import { COARSEST_SCHEMA, FINEST_SCHEMA } from './bucket-bound.ts'

/**
 * What is wrong with a histogram, by the rules of Prometheus for samples it takes in; null: nothing. Schemas 9 … 52 are to be made coarser before
 * (reduceResolution). `areCountsWhole`: the counts came as integers, so that they have to add up to the count exactly; more in it are NaN observations.
 */
export function checkHistogram(histogram: FloatHistogram, areCountsWhole = false): string | null {
  const { schema, positiveSpans, positiveBuckets, negativeSpans, negativeBuckets } = histogram
  const isCustom = schema === CUSTOM_BUCKETS_SCHEMA
  if (!isCustom && !(schema >= COARSEST_SCHEMA && schema <= FINEST_SCHEMA && Number.isInteger(schema))) {
    return `has schema ${schema}, which is neither one of ${COARSEST_SCHEMA} to ${FINEST_SCHEMA} nor ${CUSTOM_BUCKETS_SCHEMA}`
  }
  return (
    (isCustom ? customFault(histogram) : exponentialFault(histogram)) ??
    spansFault('positive', positiveSpans, positiveBuckets, isCustom) ??
    spansFault('negative', negativeSpans, negativeBuckets, isCustom) ??
    (histogram.count < 0 ? `has a negative count of ${histogram.count}` : null) ??
    countsFault('positive', positiveBuckets) ??
    countsFault('negative', negativeBuckets) ??
    (areCountsWhole ? totalFault(histogram) : null)
  )
}

function exponentialFault(histogram: FloatHistogram): string | null {
  if (histogram.customValues.length > 0) return 'has bounds of its own and an exponential schema'
  // No comparison holds for NaN: it is refused as well, because no two zero buckets could be reconciled.
  if (!(histogram.zeroThreshold >= 0)) return `has a zero bucket of the width ${histogram.zeroThreshold}`
  return histogram.zeroCount < 0 ? `has a zero bucket with a count of ${histogram.zeroCount}` : null
}

function customFault(histogram: FloatHistogram): string | null {
  const { customValues, positiveSpans } = histogram
  let before = Number.NEGATIVE_INFINITY
  for (const [i, bound] of customValues.entries()) {
    if (Number.isNaN(bound)) return 'has a bound that is NaN'
    if (i > 0 && bound <= before) return `has bounds that do not ascend: ${bound} after ${before}`
    before = bound
  }
  if (before === Number.POSITIVE_INFINITY) return 'has +Inf among its bounds, which is always there unwritten'
  if (histogram.zeroCount !== 0 || histogram.zeroThreshold !== 0) {
    return 'has a zero bucket and bounds of its own'
  }
  if (histogram.negativeSpans.length > 0 || histogram.negativeBuckets.length > 0) {
    return 'has negative buckets and bounds of its own'
  }
  const reach = positiveSpans.reduce((sum, span) => sum + span.offset + span.length, 0)
  if (reach > customValues.length + 1) {
    return `has ${customValues.length} bounds, which are too few for ${reach} buckets`
  }
  return null
}

function spansFault(
  side: string,
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
  isCustom: boolean,
): string | null {
  let length = 0
  let index = 0
  for (const [i, span] of spans.entries()) {
    if (span.offset < 0 && (i > 0 || isCustom)) return `has a ${side} span with the offset ${span.offset}`
    length += span.length
    index += span.offset + span.length
    if (!isInt32(index) || !isInt32(span.offset)) return `has a ${side} span beyond all buckets there are`
  }
  if (length === buckets.length) return null
  return `has ${side} spans over ${length} buckets but ${buckets.length} buckets`
}

function countsFault(side: string, buckets: readonly number[]): string | null {
  const at = buckets.findIndex((count) => count < 0)
  return at === -1 ? null : `has ${buckets[at]} observations in ${side} bucket ${at + 1}`
}

function totalFault(histogram: FloatHistogram): string | null {
  const { count, zeroCount, positiveBuckets, negativeBuckets } = histogram
  const inBuckets = [...positiveBuckets, ...negativeBuckets].reduce((sum, one) => sum + one, zeroCount)
  if (Number.isNaN(histogram.sum) ? inBuckets <= count : inBuckets === count) return null
  return `has ${inBuckets} observations in its buckets but a count of ${count}`
}

function isInt32(value: number): boolean {
  return Math.abs(value) < 2 ** 31
}
