import { type Labels, METRIC_NAME, withLabel } from '../../model/labels.ts'
import { endOf, type SampleToSend } from './encode-samples.ts'
import { NO_EXEMPLARS } from './exposition.ts'
import type { ScrapeCounts } from './scrape-once.ts'

/** What is told about every scrape, under the target's own labels, as Prometheus tells it. `counts` null: the scrape failed. */
export function reportOf(
  labels: Labels,
  timestampMs: number,
  durationMs: number,
  counts: ScrapeCounts | null,
): SampleToSend[] {
  const values: Readonly<Record<string, number>> = {
    up: counts === null ? 0 : 1,
    scrape_duration_seconds: durationMs / 1000,
    scrape_samples_scraped: counts?.scraped ?? 0,
    scrape_samples_post_metric_relabeling: counts?.kept ?? 0,
    scrape_series_added: counts?.added ?? 0,
  }
  return Object.entries(values).map(([name, value]) => reportSample(labels, timestampMs, name, value))
}

/** The end of those series: the target is not asked any more. */
export function reportEnd(labels: Labels, timestampMs: number): SampleToSend[] {
  return REPORTED.map((name) => endOf(withLabel(labels, METRIC_NAME, name), timestampMs))
}

const REPORTED = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
] as const

function reportSample(labels: Labels, timestampMs: number, name: string, value: number): SampleToSend {
  const metadata = { type: 'gauge' as const, help: '', unit: '' }
  return {
    labels: withLabel(labels, METRIC_NAME, name),
    timestampMs,
    value,
    histogram: null,
    startMs: 0,
    exemplars: NO_EXEMPLARS,
    metadata,
  }
}
