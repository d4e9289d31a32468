import { quoteText } from '../../../model/labels.ts'
import { formatFloat } from '../../../model/template/format-float.ts'
import { forMetric } from './annotations.ts'

/** What was being done with histograms when something came up. */
export type HistogramOperation = 'addition' | 'subtraction' | 'aggregation'

/** Prometheus' words (`util/annotations`) for what is told beside an answer; `name` is the metric's. */
export const annotationTexts = {
  badQuantile: (phi: number) => `quantile value should be between 0 and 1, got ${formatFloat(phi, 'g', -1)}`,
  badRatio: (ratio: number, cap: number) =>
    `ratio value should be between -1 and 1, got ${formatFloat(ratio, 'g', -1)}, capping to ${cap}`,
  mixedFloatsHistograms: (name: string) =>
    `encountered a mix of histograms and floats for metric name ${quoteText(name)}`,
  mixedFloatsHistogramsInAggregation: () => 'encountered a mix of histograms and floats for aggregation',
  mixedClassicNative: (name: string) =>
    `vector contains a mix of classic and native histograms${forMetric(name)}`,
  mixedExponentialCustom: (name: string) =>
    `vector contains a mix of histograms with exponential and custom buckets schemas for metric name ${quoteText(name)}`,
  notCounter: (name: string) => `this native histogram metric is not a counter: ${quoteText(name)}`,
  notGauge: (name: string) => `this native histogram metric is not a gauge: ${quoteText(name)}`,
  incompatibleLayout: (operator: string) =>
    `incompatible bucket layout encountered for binary operator ${operator}`,
  counterResetCollision: (operation: HistogramOperation) =>
    `conflicting counter resets during histogram ${operation}`,
  badBucketLabel: (text: string, name: string) =>
    `bucket label "le" is missing or has a malformed value of ${quoteText(text)}${forMetric(name)}`,
  startTimeOverlap: (name: string) =>
    `start timestamp overlaps with the previous sample for metric name ${quoteText(name)}`,
  mismatchedCustomBuckets: (operation: HistogramOperation) =>
    `mismatched custom buckets were reconciled during ${operation}`,
  possibleNonCounter: (name: string) =>
    `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quoteText(name)}`,
  forcedMonotonicity: (name: string) =>
    `input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)${forMetric(name)}`,
  incompatibleTypes: (left: string, operator: string, right: string) =>
    `incompatible sample types encountered for binary operator ${quoteText(operator)}: ${left} ${operator} ${right}`,
  ignoredInAggregation: (aggregation: string) => `ignored histogram in ${aggregation} aggregation`,
  ignoredInMixedRange: (name: string) =>
    `ignored histograms in a range containing both floats and histograms for metric name ${quoteText(name)}`,
  quantileIsNaN: (name: string) =>
    `input to histogram_quantile has NaN observations, result is NaN${forMetric(name)}`,
  quantileIsSkewed: (name: string) =>
    `input to histogram_quantile has NaN observations, result is skewed higher${forMetric(name)}`,
  fractionWithoutNaN: (name: string) =>
    `input to histogram_fraction has NaN observations, which are excluded from all fractions${forMetric(name)}`,
} as const
