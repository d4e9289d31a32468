import { type Labels, labelValue, METRIC_NAME, withLabel } from '../../model/labels.ts'
import { compileMatcher, type Matcher } from '../../model/matcher.ts'
import { formatBound } from '../promql/format-float.ts'
import type { IndexedSeries } from './select-index.ts'

/** A test on whole label sets. */
export type LabelsTest = (labels: Labels) => boolean

/** All matchers as one test. Throws SyntaxError for a pattern that is none. */
export function matchesAll(matchers: readonly Matcher[]): LabelsTest {
  const tests = matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }))
  return (labels) => tests.every(({ name, matches }) => matches(labelValue(labels, name)))
}

/** The labels of an indexed series with its name and a suffix. */
export function namedLabels({ name, labels }: IndexedSeries, suffix: string): Labels {
  return withLabel(labels, METRIC_NAME, `${name}${suffix}`)
}

/** The labels of a histogram's buckets: one per bound, and the last one for all observations. */
export function bucketLabels(series: IndexedSeries, bounds: readonly number[]): Labels[] {
  const labels = namedLabels(series, '_bucket')
  return [...bounds.filter((bound) => bound !== Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY].map(
    (bound) => withLabel(labels, 'le', formatBound(bound)),
  )
}

/** The labels of a summary's quantiles. */
export function quantileLabels(series: IndexedSeries, quantiles: readonly number[]): Labels[] {
  const labels = namedLabels(series, '')
  return quantiles.map((quantile) => withLabel(labels, 'quantile', formatBound(quantile)))
}
