import { createHash } from 'node:crypto'
import { labelsKey, METRIC_NAME } from '../../model/labels.ts'
import { AppError } from '../../runtime/errors.ts'
import type {
  ClientExemplar,
  ClientFamily,
  ClientHistogram,
  ClientMetric,
  ClientSide,
} from './client-metric.ts'
import {
  type ExposedExemplar,
  type ExposedHistogram,
  type ExposedSample,
  NO_EXEMPLARS,
} from './exposition.ts'
import { openMetricsNumber } from './open-metrics-number.ts'

/** Which histograms are wanted. */
export interface WantedHistograms {
  readonly isNativeWanted: boolean
  /** Whether a native histogram that is a classic one too is wanted as both. */
  readonly isClassicKept: boolean
}

/** Labels written out any longer stand in the keys of series as a hash: each bucket of a histogram has a key. */
const LONGEST_KEY = 256

/** What the samples of a metric have in common. */
interface Common {
  readonly family: ClientFamily
  readonly metric: ClientMetric
  /** Of its labels. */
  readonly key: string
  readonly startMs: number
}

/** A label that only one sample has. */
type Own = readonly [name: string, value: string]

/** The samples that a metric of the protobuf format stands for, named and labelled as Prometheus does it. */
export function exposeMetric(
  family: ClientFamily,
  metric: ClientMetric,
  wanted: WantedHistograms,
): ExposedSample[] {
  const key = shortKey(labelsKey(metric.labels.flat()))
  const withStart = (startMs: number): Common => ({ family, metric, key, startMs })
  const { startMs } = metric
  switch (family.type) {
    case 'counter':
      return [sampleOf(withStart(startMs.counter), '', null, metric.counter, exemplarsOf([metric.exemplar]))]
    case 'gauge':
      return [sampleOf(withStart(0), '', null, metric.gauge)]
    case 'unknown':
      return [sampleOf(withStart(0), '', null, metric.untyped)]
    case 'summary':
      return exposeSummary(withStart(startMs.summary))
    case 'histogram':
    case 'gaugehistogram':
      return exposeHistogram(withStart(startMs.histogram), wanted)
  }
}

function exposeSummary(common: Common): ExposedSample[] {
  const { count, sum, quantiles } = common.metric.summary
  if (quantiles.length > 0) refuseOwn(common, 'quantile')
  return [
    sampleOf(common, '_count', null, count),
    sampleOf(common, '_sum', null, sum),
    ...quantiles.map(({ quantile, value }) =>
      sampleOf(common, '', ['quantile', openMetricsNumber(quantile)], value),
    ),
  ]
}

function exposeHistogram(
  common: Common,
  { isNativeWanted, isClassicKept }: WantedHistograms,
): ExposedSample[] {
  const { histogram } = common.metric
  if (!isNativeWanted || !isNativeHistogram(histogram)) return exposeBuckets(common)
  const native = toNative(histogram, common.family.type === 'gaugehistogram')
  const sample = sampleOf(common, '', null, histogram.sum, nativeExemplars(histogram), native)
  return isClassicKept && histogram.buckets.length > 0 ? [sample, ...exposeBuckets(common)] : [sample]
}

function exposeBuckets(common: Common): ExposedSample[] {
  const { count, countFloat, sum, buckets } = common.metric.histogram
  const all = countFloat === 0 ? count : countFloat
  refuseOwn(common, 'le')
  const samples = [sampleOf(common, '_count', null, all), sampleOf(common, '_sum', null, sum)]
  for (const bucket of buckets) {
    const value = bucket.countFloat === 0 ? bucket.count : bucket.countFloat
    const bound = openMetricsNumber(bucket.upperBound)
    samples.push(sampleOf(common, '_bucket', ['le', bound], value, exemplarsOf([bucket.exemplar])))
    // What stands behind the last of all buckets is not looked at.
    if (bucket.upperBound === Number.POSITIVE_INFINITY) return samples
  }
  samples.push(sampleOf(common, '_bucket', ['le', '+Inf'], all))
  return samples
}

function sampleOf(
  { family, metric, key, startMs }: Common,
  suffix: string,
  own: Own | null,
  value: number,
  exemplars = NO_EXEMPLARS,
  histogram: ExposedHistogram | null = null,
): ExposedSample {
  const name = family.name + suffix
  const { labels, timestampMs } = metric
  return {
    series: `${name.length}:${name}${own === null ? '' : `${own[1].length}:${own[1]}`};${key}`,
    labels: () => [[METRIC_NAME, name], ...labels, ...(own === null ? [] : [own])],
    numberLabel: null,
    value,
    histogram,
    timestampMs: timestampMs === 0 ? null : timestampMs,
    startMs,
    exemplars,
  }
}

/** A label that the samples get must not be the metric's own. */
function refuseOwn({ family, metric }: Common, label: string): void {
  if (!metric.labels.some(([own]) => own === label)) return
  throw new AppError(
    'MALFORMED_MESSAGE',
    `Cannot read the metrics: a ${label} stands among the labels of ${JSON.stringify(family.name)}`,
  )
}

/**
 * A native histogram has spans or a zero bucket: one without observations says by an empty span what it is. So Prometheus tells them from
 * classic ones.
 */
function isNativeHistogram(histogram: ClientHistogram): boolean {
  const { positive, negative, zeroThreshold, zeroCount } = histogram
  return positive.spans.length > 0 || negative.spans.length > 0 || zeroThreshold > 0 || zeroCount > 0
}

function toNative(histogram: ClientHistogram, isGauge: boolean): ExposedHistogram {
  const { positive, negative, countFloat, zeroCountFloat } = histogram
  const isInteger = !(countFloat > 0 || zeroCountFloat > 0)
  const counts = (side: ClientSide) => (isInteger ? summed(side.deltas) : side.counts)
  return {
    schema: histogram.schema,
    zeroThreshold: histogram.zeroThreshold,
    zeroCount: isInteger ? histogram.zeroCount : zeroCountFloat,
    count: isInteger ? histogram.count : countFloat,
    sum: histogram.sum,
    positiveSpans: positive.spans,
    positiveBuckets: counts(positive),
    negativeSpans: negative.spans,
    negativeBuckets: counts(negative),
    customValues: [],
    counterResetHint: isGauge ? 'gauge' : 'unknown',
    isInteger,
  }
}

function summed(deltas: readonly number[]): number[] {
  let sum = 0
  return deltas.map((delta) => {
    sum += delta
    return sum
  })
}

/** Its own, or else those of its classic buckets. Without a time they could not be told from those of the scrape before: they are left out. */
function nativeExemplars({ exemplars, buckets }: ClientHistogram): readonly ExposedExemplar[] {
  const all = exemplars.length > 0 ? exemplars : buckets.map(({ exemplar }) => exemplar)
  return exemplarsOf(all.filter((exemplar) => exemplar !== null && exemplar.timestampMs !== null))
}

function exemplarsOf(exemplars: readonly (ClientExemplar | null)[]): readonly ExposedExemplar[] {
  if (exemplars[0] === null && exemplars.length === 1) return NO_EXEMPLARS
  const there = exemplars.filter((exemplar) => exemplar !== null)
  return there.length === 0 ? NO_EXEMPLARS : there
}

function shortKey(key: string): string {
  return key.length <= LONGEST_KEY ? key : createHash('sha256').update(key).digest('base64')
}
