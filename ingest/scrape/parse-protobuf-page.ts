import { METRIC_NAME } from '../../model/labels.ts'
import { AppError } from '../../runtime/errors.ts'
import type { ClientFamily, ClientMetric } from './client-metric.ts'
import { ClientMetricReader } from './client-metric-reader.ts'
import { exposeMetric, type WantedHistograms } from './expose-metric.ts'
import type { ExposedMetadata, ExposedSample, Exposition } from './exposition.ts'

/**
 * Labels of all samples of a page, each written out: as many as this, or twice the page's bytes. A metric's labels are sent once, and every bucket of
 * its histogram has them.
 */
const MOST_LABELS = 4_000_000
/** Samples and exemplars of a page: as many as this, or one for eight bytes of it. Empty ones take two bytes each. */
const MOST_SAMPLES = 1_000_000

/**
 * Reads a page in Prometheus' protobuf format: `io.prometheus.client.MetricFamily` messages, each after its length. Throws MALFORMED_MESSAGE,
 * and then nothing counts.
 */
export function parseProtobufPage(page: Buffer, wanted: WantedHistograms): Exposition {
  const reader = new ClientMetricReader(page)
  const samples: ExposedSample[] = []
  const metadata = new Map<string, ExposedMetadata>()
  const mostLabels = Math.max(MOST_LABELS, page.length * 2)
  const mostSamples = Math.max(MOST_SAMPLES, Math.floor(page.length / 8))
  let labels = 0
  let parts = 0
  for (let family = reader.family(); family !== null; family = reader.family()) {
    // Empty families are not looked at.
    if (family.metricCount === 0) continue
    checkFamily(family)
    const { name, type, help, unit } = family
    metadata.set(name, { type, help, unit })
    for (const metric of reader.metrics(family)) {
      const { summary, histogram } = metric
      checkLabels(family, metric)
      const own = histogram.buckets.length + summary.quantiles.length + histogram.exemplars.length + 1
      parts += own
      labels += own * metric.labels.length
      if (parts > mostSamples) throw broken(`it has more than ${mostSamples} samples for its size`)
      if (labels > mostLabels) throw broken(`its samples have more than ${mostLabels} labels for its size`)
      for (const sample of exposeMetric(family, metric, wanted)) samples.push(sample)
    }
  }
  return { samples, metadata }
}

function checkFamily({ name, type, unit }: ClientFamily): void {
  if (name === '') throw broken('a family has no name')
  if (unit === '') return
  const base = type === 'counter' ? name.replace(/_total$/, '') : name
  if (!base.endsWith(`_${unit}`)) {
    throw broken(`the unit ${JSON.stringify(unit)} is not the end of the name ${JSON.stringify(name)}`)
  }
}

function checkLabels({ name }: ClientFamily, { labels }: ClientMetric): void {
  const names = new Set([METRIC_NAME])
  for (const [label] of labels) {
    if (label === '') throw broken(`a metric of ${JSON.stringify(name)} has a label without a name`)
    if (names.has(label)) {
      throw broken(`a metric of ${JSON.stringify(name)} has the label ${JSON.stringify(label)} twice`)
    }
    names.add(label)
  }
}

function broken(reason: string): AppError {
  return new AppError('MALFORMED_MESSAGE', `Cannot read the metrics: ${reason}`)
}
