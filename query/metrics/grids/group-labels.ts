import {
  compareLabels,
  keepLabels,
  type Labels,
  labelsKey,
  METRIC_NAME,
  withoutLabels,
} from '../../../model/labels.ts'
import type { GridRequest } from '../../promql/series-source.ts'

/** The groups of an aggregation. */
export interface LabelGroups {
  /** The group of each series, in their order. */
  readonly groupOf: Uint32Array
  readonly labels: readonly Labels[]
  /** Groups in the order of their least series: the order in which an evaluation of sorted series meets them. */
  readonly order: readonly number[]
}

/** Groups series by their labels. */
export function groupLabels(
  { isWithout, grouping }: Pick<NonNullable<GridRequest['aggregate']>, 'isWithout' | 'grouping'>,
  series: readonly Labels[],
): LabelGroups {
  const names = new Set(isWithout ? [...grouping, METRIC_NAME] : grouping)
  const numbers = new Map<string, number>()
  const labels: Labels[] = []
  const least: Labels[] = []
  const groupOf = new Uint32Array(series.length)
  for (const [i, one] of series.entries()) {
    const group = isWithout ? withoutLabels(one, names) : keepLabels(one, names)
    const key = labelsKey(group)
    let number = numbers.get(key)
    if (number === undefined) {
      number = labels.length
      numbers.set(key, number)
      labels.push(group)
      least.push(one)
    } else if (compareLabels(one, least[number] ?? one) < 0) least[number] = one
    groupOf[i] = number
  }
  const order = [...labels.keys()].sort((a, b) => compareLabels(least[a] ?? [], least[b] ?? []))
  return { groupOf, labels, order }
}
