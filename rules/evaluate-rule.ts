import { histogramText } from '../model/histogram/histogram-text.ts'
import { type Labels, labelPairs, labelsFrom, labelsKey, METRIC_NAME, withLabel } from '../model/labels.ts'
import type { ActiveElement } from './next-alert-state.ts'
import type { AlertingRule, RecordingRule } from './rule-group.ts'
import { expandAlertTemplate } from './templates/alert-template.ts'
import type { QueryVector, RuleSample } from './templates/query-vector.ts'

/** What evaluating an alerting rule needs beside its result. */
export interface AlertingContext {
  /** The evaluation's time, epoch milliseconds. */
  readonly nowMs: number
  readonly query: QueryVector
  readonly externalLabels: Labels
  readonly externalUrl: string
}

/** Labels of the series that alerting rules record about themselves. */
const ALERTS = 'ALERTS'
const ALERTS_FOR_STATE = 'ALERTS_FOR_STATE'

/**
 * The series that a recording rule makes of its expression's result. Throws Error, in Prometheus' words, when two have equal labels or
 * there are more than `limit` (0: no limit).
 */
export function recordedSamples(
  rule: RecordingRule,
  vector: readonly RuleSample[],
  limit: number,
): readonly RuleSample[] {
  const samples = vector.map((sample): RuleSample => {
    let labels = withLabel(sample.labels, METRIC_NAME, rule.name)
    for (const [name, text] of rule.labels) labels = withLabel(labels, name, text)
    return { ...sample, labels }
  })
  assertDifferent(samples, 'vector contains metrics with the same labelset after applying rule labels')
  if (limit > 0 && samples.length > limit) {
    throw new Error(`exceeded limit of ${limit} with ${samples.length} series`)
  }
  return samples
}

/**
 * The alerts that the result of an alerting rule means, labels and annotations expanded. Throws Error, in Prometheus' words, when two
 * have equal labels.
 */
export async function activeElements(
  rule: AlertingRule,
  vector: readonly RuleSample[],
  context: AlertingContext,
): Promise<readonly ActiveElement[]> {
  const elements: ActiveElement[] = []
  const template = { alertName: rule.name, nowMs: context.nowMs, query: context.query }
  for (const sample of vector) {
    // As in Prometheus, an alert about a histogram has the value 0; its texts see the histogram.
    const value = sample.histogram === undefined ? sample.value : 0
    const data = {
      labels: sample.labels,
      value: sample.histogram === undefined ? value : histogramText(sample.histogram),
      externalLabels: context.externalLabels,
      externalUrl: context.externalUrl,
    }
    const expand = (text: string) => expandAlertTemplate(text, data, template)
    let labels = withLabel(sample.labels, METRIC_NAME, '')
    for (const [name, text] of rule.labels) labels = withLabel(labels, name, await expand(text))
    labels = withLabel(labels, 'alertname', rule.name)
    const annotations: [string, string][] = []
    for (const [name, text] of rule.annotations) annotations.push([name, await expand(text)])
    elements.push({ labels, annotations: labelsFrom(annotations), value })
  }
  assertDifferent(elements, 'vector contains metrics with the same labelset after applying alert labels')
  return elements
}

/** The series ALERTS and ALERTS_FOR_STATE of an alert that is pending or firing. */
export function alertSamples(alert: {
  readonly labels: Labels
  readonly state: 'pending' | 'firing' | 'inactive'
  readonly activeAtMs: number
}): readonly RuleSample[] {
  if (alert.state === 'inactive') return []
  const pairs = [...labelPairs(alert.labels)]
  return [
    { labels: labelsFrom([...pairs, [METRIC_NAME, ALERTS], ['alertstate', alert.state]]), value: 1 },
    {
      labels: labelsFrom([...pairs, [METRIC_NAME, ALERTS_FOR_STATE]]),
      value: Math.floor(alert.activeAtMs / 1000),
    },
  ]
}

function assertDifferent(elements: readonly { readonly labels: Labels }[], message: string): void {
  if (new Set(elements.map(({ labels }) => labelsKey(labels))).size < elements.length) {
    throw new Error(message)
  }
}
