import { type Labels, METRIC_NAME, withoutLabels } from '../../../model/labels.ts'

const METADATA: ReadonlySet<string> = new Set([METRIC_NAME, '__type__', '__unit__'])

/** Labels without those that say what metric it is: its name, type and unit. What is computed of a metric is none of these any more. */
export function withoutMetadata(labels: Labels): Labels {
  return withoutLabels(labels, METADATA)
}
