import { type Labels, labelsFrom, labelValue, METRIC_NAME } from '../../model/labels.ts'
import { AppError } from '../../runtime/errors.ts'
import type { ScrapeTarget } from './build-targets.ts'
import { endOf, familyMetadata, type SampleToSend } from './encode-samples.ts'
import type { ExposedSample } from './exposition.ts'
import type { Page } from './fetch-page.ts'
import { fitHistogram } from './fit-histogram.ts'
import { openMetricsNumber } from './open-metrics-number.ts'
import { parseNumber, parseSeriesText } from './parse-exposition.ts'
import { parsePage } from './parse-page.ts'
import type { Relabel } from './relabel.ts'
import type { ScrapeJob } from './scrape-job.ts'

/** What is remembered of a target from one scrape to the next. */
export interface TargetMemory {
  /** Final labels by the series' text on the page; null: dropped by relabelling. */
  series: Map<string, Labels | null>
  /** Series of the last scrape without times of their own: they end when they are gone. */
  alive: ReadonlyMap<string, Labels>
}

/** What a scrape came to. `scraped`: samples on the page, `kept`: those that relabelling left. */
export interface ScrapeCounts {
  readonly scraped: number
  readonly kept: number
  readonly added: number
}

/** Samples to write, and what is to be remembered once they are written. */
export interface ScrapeResult {
  readonly samples: readonly SampleToSend[]
  readonly memory: TargetMemory
  readonly counts: ScrapeCounts
}

/** Nothing is known of a target yet. */
export const EMPTY_MEMORY: TargetMemory = { series: new Map(), alive: new Map() }

/**
 * Makes samples of a page: labels of the target added, relabelled, limits held, series that are gone ended. Throws AppError
 * MALFORMED_MESSAGE or INTERNAL when the page cannot be read or exceeds a limit: then nothing of it counts.
 */
export function samplesOfPage(
  target: ScrapeTarget,
  relabel: Relabel,
  page: Page,
  memory: TargetMemory,
  timestampMs: number,
): ScrapeResult {
  const { job } = target
  const { samples, metadata } = parsePage(page, job)
  const series = new Map<string, Labels | null>()
  const alive = new Map<string, Labels>()
  const sent: SampleToSend[] = []
  let added = 0
  for (const sample of samples) {
    let labels = memory.series.get(sample.series)
    if (labels === undefined) {
      labels = finalLabels(target, relabel, sample)
      if (labels !== null) added += 1
    }
    series.set(sample.series, labels)
    if (labels === null) continue
    const hasOwnTime = job.honorTimestamps && sample.timestampMs !== null
    if (!hasOwnTime) alive.set(sample.series, labels)
    const { value, histogram, startMs, exemplars } = sample
    sent.push({
      labels,
      value,
      histogram: histogram && fitHistogram(histogram, job, labelValue(labels, METRIC_NAME)),
      timestampMs: hasOwnTime ? (sample.timestampMs ?? timestampMs) : timestampMs,
      startMs,
      exemplars,
      metadata: familyMetadata(labels, metadata),
    })
    if (job.sampleLimit > 0 && sent.length > job.sampleLimit) throw limited('sample limit exceeded')
  }
  const counts = { scraped: samples.length, kept: sent.length, added }
  return {
    samples: [...sent, ...endingsOf(memory, alive, timestampMs)],
    memory: { series, alive },
    counts,
  }
}

/** The end of every series that was alive and is not any more. */
export function endingsOf(
  memory: TargetMemory,
  alive: ReadonlyMap<string, Labels>,
  timestampMs: number,
): SampleToSend[] {
  const ended: SampleToSend[] = []
  for (const [text, labels] of memory.alive) {
    if (!alive.has(text)) ended.push(endOf(labels, timestampMs))
  }
  return ended
}

function finalLabels(target: ScrapeTarget, relabel: Relabel, sample: ExposedSample): Labels | null {
  const { job } = target
  const own = labelsOf(sample)
  const labels = relabel(withTarget(own, target.labels, job.honorLabels))
  if (labels === null) return null
  if (labelValue(labels, METRIC_NAME) === '') {
    const text = JSON.stringify(sample.series)
    throw new AppError('MALFORMED_MESSAGE', `Cannot read the metrics: ${text} has no name`)
  }
  checkLimits(job, labels)
  return labels
}

function labelsOf({ series, labels, numberLabel }: ExposedSample): readonly (readonly [string, string])[] {
  const own = labels === null ? parseSeriesText(series) : labels()
  if (numberLabel === null) return own
  return own.map((label) => {
    const number = label[0] === numberLabel ? parseNumber(label[1]) : null
    return number === null ? label : [numberLabel, openMetricsNumber(number)]
  })
}

/** A page's label that the target has too is renamed, unless it is to be honoured. */
function withTarget(own: readonly (readonly [string, string])[], target: Labels, isHonored: boolean): Labels {
  const labels = new Map<string, string>(own)
  for (let i = 0; i < target.length; i += 2) {
    const name = target[i] ?? ''
    const value = target[i + 1] ?? ''
    const before = labels.get(name) ?? ''
    if (before !== '' && isHonored) continue
    // An empty label of the page that is honoured takes the target's away.
    if (isHonored && labels.has(name)) continue
    labels.set(name, value)
    if (before === '') continue
    let renamed = `exported_${name}`
    while (labels.has(renamed) || labelValue(target, renamed) !== '') renamed = `exported_${renamed}`
    labels.set(renamed, before)
  }
  return labelsFrom(labels)
}

function checkLimits(job: ScrapeJob, labels: Labels): void {
  if (job.labelLimit > 0 && labels.length / 2 > job.labelLimit) throw limited('label_limit exceeded')
  for (let i = 0; i < labels.length; i += 2) {
    const nameLength = Buffer.byteLength(labels[i] ?? '')
    const valueLength = Buffer.byteLength(labels[i + 1] ?? '')
    if (job.labelNameLengthLimit > 0 && nameLength > job.labelNameLengthLimit) {
      throw limited('label_name_length_limit exceeded')
    }
    if (job.labelValueLengthLimit > 0 && valueLength > job.labelValueLengthLimit) {
      throw limited('label_value_length_limit exceeded')
    }
  }
}

function limited(reason: string): AppError {
  return new AppError('INTERNAL', `Cannot scrape: ${reason}`)
}
