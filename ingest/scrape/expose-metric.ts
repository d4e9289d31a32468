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

/** The samples that a metric of the protobuf format stands for, named and labelled as Prometheus does it. */
export function exposeMetric(
  family: ClientFamily,
  metric: ClientMetric,
  wanted: WantedHistograms,
): ExposedSample[] {
  const { name, type } = family
  const samples: ExposedSample[] = []
  const key = shortKey(labelsKey(metric.labels.flat()))
  const add = (
    suffix: string,
    part: Partial<ExposedSample> & { readonly value: number },
    own?: Own,
  ): void => {
    const full = name + suffix
    samples.push({
      series: labelsKey([full, ...(own ?? [])]) + key,
      labels: [[METRIC_NAME, full], ...metric.labels, ...(own === undefined ? [] : [own])],
      numberLabel: null,
      histogram: null,
      timestampMs: metric.timestampMs === 0 ? null : metric.timestampMs,
      startMs: 0,
      exemplars: NO_EXEMPLARS,
      ...part,
    })
  }
  if (type === 'counter') {
    const exemplars = exemplarsOf([metric.exemplar])
    add('', { value: metric.counter, startMs: metric.startMs.counter, exemplars })
  } else if (type === 'gauge') add('', { value: metric.gauge })
  else if (type === 'unknown') add('', { value: metric.untyped })
  else if (type === 'summary') {
    const { count, sum, quantiles } = metric.summary
    const startMs = metric.startMs.summary
    if (quantiles.length > 0) refuseOwn(family, metric, 'quantile')
    add('_count', { value: count, startMs })
    add('_sum', { value: sum, startMs })
    for (const { quantile, value } of quantiles) {
      add('', { value, startMs }, ['quantile', openMetricsNumber(quantile)])
    }
  } else {
    const { histogram } = metric
    const startMs = metric.startMs.histogram
    const isNative = wanted.isNativeWanted && isNativeHistogram(histogram)
    if (isNative) {
      add('', {
        value: histogram.sum,
        histogram: toNative(histogram, type === 'gaugehistogram'),
        startMs,
        exemplars: nativeExemplars(histogram),
      })
    }
    if (!isNative || (wanted.isClassicKept && histogram.buckets.length > 0)) {
      const count = histogram.countFloat === 0 ? histogram.count : histogram.countFloat
      refuseOwn(family, metric, 'le')
      add('_count', { value: count, startMs })
      add('_sum', { value: histogram.sum, startMs })
      for (const bucket of histogram.buckets) {
        const exemplars = exemplarsOf([bucket.exemplar])
        const value = bucket.countFloat === 0 ? bucket.count : bucket.countFloat
        add('_bucket', { value, startMs, exemplars }, ['le', openMetricsNumber(bucket.upperBound)])
        // What stands behind the last of all buckets is not looked at.
        if (bucket.upperBound === Number.POSITIVE_INFINITY) return samples
      }
      add('_bucket', { value: count, startMs }, ['le', '+Inf'])
    }
  }
  return samples
}

/** A label that the samples get must not be the metric's own. */
function refuseOwn({ name }: ClientFamily, { labels }: ClientMetric, label: string): void {
  if (!labels.some(([own]) => own === label)) return
  throw new AppError(
    'MALFORMED_MESSAGE',
    `Cannot read the metrics: a ${label} stands among the labels of ${JSON.stringify(name)}`,
  )
}

type Own = readonly [name: string, value: string]

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
  const there = exemplars.filter((exemplar) => exemplar !== null)
  return there.length === 0 ? NO_EXEMPLARS : there
}

function shortKey(key: string): string {
  return key.length <= LONGEST_KEY ? key : createHash('sha256').update(key).digest('base64')
}
