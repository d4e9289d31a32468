import {
  keepLabels,
  type Labels,
  labelsKey,
  METRIC_NAME,
  NO_LABELS,
  withoutLabels,
} from '../../../model/labels.ts'
import type { AggregateExpr } from '../ast.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere } from './grid.ts'
import { lostWith } from './kahan-sum.ts'
import { quantileOf, sortedForQuantile } from './quantile.ts'

/** The series that one element of an aggregation's answer is made of. */
export interface Group {
  readonly labels: Labels
  readonly dropName: boolean
  readonly members: GridSeries[]
}

/** Groups series by (or without) labels, in the order in which groups first appear. */
export function groupSeries(
  { isWithout, grouping }: Pick<AggregateExpr, 'isWithout' | 'grouping'>,
  series: readonly GridSeries[],
): Group[] {
  const names = new Set(grouping)
  const keepsName = !isWithout && names.has(METRIC_NAME)
  if (isWithout) names.add(METRIC_NAME)
  const groupLabels = (labels: Labels): Labels => {
    if (isWithout) return withoutLabels(labels, names)
    return names.size === 0 ? NO_LABELS : keepLabels(labels, names)
  }
  const groups = new Map<string, { labels: Labels; dropName: boolean; members: GridSeries[] }>()
  for (const one of series) {
    const labels = groupLabels(one.labels)
    const key = labelsKey(labels)
    let group = groups.get(key)
    if (group === undefined) {
      group = { labels, dropName: false, members: [] }
      groups.set(key, group)
    }
    group.members.push(one)
    if (keepsName && one.dropName) group.dropName = true
  }
  return [...groups.values()]
}

/** Aggregations that make one number of a group's values at a moment (never none). */
export type ReducingOp = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar' | 'quantile'

/** Aggregates each group at each moment. `phi` is `quantile`'s parameter. */
export function reduceGroups(
  op: ReducingOp,
  groups: readonly Group[],
  grid: Grid,
  phi: Float64Array,
): GridSeries[] {
  return groups
    .map((group) => {
      const result = emptySeries(group.labels, group.dropName, grid)
      REDUCERS[op](group.members, result, phi)
      return result
    })
    .filter(isAnywhere)
}

type Reducer = (members: readonly GridSeries[], result: GridSeries, phi: Float64Array) => void

const REDUCERS: Readonly<Record<ReducingOp, Reducer>> = {
  sum,
  avg: average,
  min: (members, result) => extreme(members, result, (a, b) => a < b),
  max: (members, result) => extreme(members, result, (a, b) => a > b),
  count: (members, result) => {
    each(members, result, (_, i) => {
      result.values[i] = (result.values[i] as number) + 1
    })
  },
  group: (members, result) => {
    each(members, result, (_, i) => {
      result.values[i] = 1
    })
  },
  stdvar: (members, result) => variance(members, result, false),
  stddev: (members, result) => variance(members, result, true),
  quantile: (members, result, phi) => {
    const { present, values } = result
    each(members, result, () => undefined)
    for (let i = 0; i < present.length; i += 1) {
      if (present[i] !== 1) continue
      const all = members.filter((series) => series.present[i] === 1)
      const sorted = sortedForQuantile(Float64Array.from(all, (series) => series.values[i] as number))
      values[i] = quantileOf(phi[i] as number, sorted)
    }
  },
}

/** Visits every value of every member; marks the moment as present before. */
function each(
  members: readonly GridSeries[],
  { present }: GridSeries,
  visit: (value: number, index: number, isFirst: boolean) => void,
): void {
  for (const member of members) {
    for (let i = 0; i < present.length; i += 1) {
      if (member.present[i] !== 1) continue
      const isFirst = present[i] === 0
      present[i] = 1
      visit(member.values[i] as number, i, isFirst)
    }
  }
}

function sum(members: readonly GridSeries[], result: GridSeries): void {
  const { values } = result
  const lost = new Float64Array(values.length)
  each(members, result, (value, i) => {
    lost[i] = lostWith(values[i] as number, lost[i] as number, value)
    values[i] = (values[i] as number) + value
  })
  for (let i = 0; i < values.length; i += 1) values[i] = (values[i] as number) + (lost[i] as number)
}

/** By the sum and the count; from where the sum would overflow by an incremental mean. */
function average(members: readonly GridSeries[], result: GridSeries): void {
  const { values } = result
  const lost = new Float64Array(values.length)
  const counts = new Float64Array(values.length)
  const isIncremental = new Uint8Array(values.length)
  each(members, result, (value, i, isFirst) => {
    counts[i] = (counts[i] as number) + 1
    const count = counts[i] as number
    if (isFirst) {
      values[i] = value
      return
    }
    const before = values[i] as number
    if (isIncremental[i] === 0) {
      const next = before + value
      if (Math.abs(next) !== Number.POSITIVE_INFINITY) {
        lost[i] = lostWith(before, lost[i] as number, value)
        values[i] = next
        return
      }
      isIncremental[i] = 1
      values[i] = before / (count - 1)
      lost[i] = (lost[i] as number) / (count - 1)
    }
    const share = (count - 1) / count
    const shared = share * (values[i] as number)
    lost[i] = lostWith(shared, share * (lost[i] as number), value / count)
    values[i] = shared + value / count
  })
  for (let i = 0; i < values.length; i += 1) {
    const by = isIncremental[i] === 1 ? 1 : (counts[i] as number)
    if (by > 0) values[i] = (values[i] as number) / by + (lost[i] as number) / by
  }
}

function extreme(
  members: readonly GridSeries[],
  result: GridSeries,
  isBetter: (a: number, b: number) => boolean,
): void {
  const { values } = result
  each(members, result, (value, i, isFirst) => {
    const best = values[i] as number
    if (isFirst || isBetter(value, best) || Number.isNaN(best)) values[i] = value
  })
}

/** Welford's algorithm. */
function variance(members: readonly GridSeries[], result: GridSeries, isDeviation: boolean): void {
  const { values } = result
  const counts = new Float64Array(values.length)
  const means = new Float64Array(values.length)
  each(members, result, (value, i) => {
    const count = (counts[i] as number) + 1
    counts[i] = count
    const mean = means[i] as number
    const delta = value - mean
    means[i] = mean + delta / count
    values[i] = (values[i] as number) + delta * (value - (means[i] as number))
  })
  for (let i = 0; i < values.length; i += 1) {
    if (result.present[i] !== 1) continue
    const squared = (values[i] as number) / (counts[i] as number)
    values[i] = isDeviation ? Math.sqrt(squared) : squared
  }
}
