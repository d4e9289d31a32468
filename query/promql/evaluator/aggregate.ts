import {
  keepLabels,
  type Labels,
  labelsKey,
  labelValue,
  METRIC_NAME,
  NO_LABELS,
  withoutLabels,
} from '../../../model/labels.ts'
import type { AggregateExpr } from '../ast.ts'
import { emptySeries, type Grid, type GridSeries } from './grid.ts'
import type { GroupReducer, RunningOp } from './group-reducers.ts'
import { quantileOf, sortForQuantile } from './quantile.ts'

/** The series that one element of an aggregation's answer is made of. */
export interface Group {
  readonly labels: Labels
  readonly dropName: boolean
  readonly members: GridSeries[]
}

/** What an aggregation groups by. */
export type Grouping = Pick<AggregateExpr, 'isWithout' | 'grouping'>

/** Groups series by (or without) labels, in the order in which groups first appear. */
export function groupSeries(grouping: Grouping, series: readonly GridSeries[]): Group[] {
  const { keyOf, labelsOf } = createGrouping(grouping)
  const groups = new Map<string, { labels: Labels; dropName: boolean; members: GridSeries[] }>()
  for (const one of series) {
    const key = keyOf(one.labels)
    let group = groups.get(key)
    if (group === undefined) {
      group = { labels: labelsOf(one.labels), dropName: false, members: [] }
      groups.set(key, group)
    }
    group.members.push(one)
    if (one.dropName) group.dropName = true
  }
  return [...groups.values()]
}

/** Tells which group a series belongs to: `keyOf` is equal for those of one group, which has the labels that `labelsOf` gives of any of them. */
export function createGrouping({ isWithout, grouping }: Grouping): {
  keyOf(labels: Labels): string
  labelsOf(labels: Labels): Labels
} {
  const names = new Set(grouping)
  if (isWithout) {
    names.add(METRIC_NAME)
    const labelsOf = (labels: Labels) => withoutLabels(labels, names)
    return { keyOf: (labels) => labelsKey(labelsOf(labels)), labelsOf }
  }
  const labelsOf = (labels: Labels) => (names.size === 0 ? NO_LABELS : keepLabels(labels, names))
  const [only] = names
  if (names.size === 1 && only !== undefined) return { keyOf: (labels) => labelValue(labels, only), labelsOf }
  const keyOf = (labels: Labels) => {
    let key = ''
    for (const name of names) {
      const value = labelValue(labels, name)
      key += `${value.length}:${value}`
    }
    return key
  }
  return { keyOf, labelsOf }
}

/** Aggregations that make one number of a group's values at a moment (never none). */
export type ReducingOp = RunningOp | 'quantile'

/** Aggregates the values of a group at each moment. */
export function reduceGroup(
  { labels, dropName, members }: Group,
  grid: Grid,
  reducer: GroupReducer,
): GridSeries {
  const result = emptySeries(labels, dropName, grid)
  for (const member of members) reducer.add(member)
  reducer.finish(result)
  return result
}

/** The quantile of a group's numbers at each moment; `phi`: which one. */
export function quantileOfGroup(
  { labels, dropName, members }: Group,
  grid: Grid,
  phi: Float64Array,
): GridSeries {
  const result = emptySeries(labels, dropName, grid)
  quantiles(members, result, phi)
  return result
}

function quantiles(members: readonly GridSeries[], { values, present }: GridSeries, phi: Float64Array): void {
  const all = new Float64Array(members.length)
  for (let i = 0; i < values.length; i += 1) {
    let length = 0
    for (const series of members) {
      if (series.present[i] !== 1) continue
      all[length] = series.values[i] as number
      length += 1
    }
    if (length === 0) continue
    values[i] = quantileOf(phi[i] as number, sortForQuantile(all.subarray(0, length)))
    present[i] = 1
  }
}
