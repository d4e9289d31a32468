import {
  keepLabels,
  type Labels,
  labelsKey,
  METRIC_NAME,
  NO_LABELS,
  withoutLabels,
} from '../../../model/labels.ts'
import type { AggregateExpr } from '../ast.ts'
import { emptySeries, type Grid, type GridSeries } from './grid.ts'
import { lostWith } from './kahan-sum.ts'
import { quantileOf, sortForQuantile } from './quantile.ts'

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
    if (one.dropName) group.dropName = true
  }
  return [...groups.values()]
}

/** Aggregations that make one number of a group's values at a moment (never none). */
export type ReducingOp = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar' | 'quantile'

/** Aggregates the numbers of each group at each moment; there must be no native histograms. `phi` is `quantile`'s parameter. */
export function reduceGroup(
  op: ReducingOp,
  { labels, dropName, members }: Group,
  grid: Grid,
  phi: Float64Array,
): GridSeries {
  const result = emptySeries(labels, dropName, grid)
  REDUCERS[op](members, result, phi)
  return result
}

type Reducer = (members: readonly GridSeries[], result: GridSeries, phi: Float64Array) => void

const REDUCERS: Readonly<Record<ReducingOp, Reducer>> = {
  sum,
  avg: average,
  min: (members, result) => extreme(members, result, -1),
  max: (members, result) => extreme(members, result, 1),
  count,
  group: (members, result) => {
    count(members, result)
    result.values.fill(1)
  },
  stdvar: (members, result) => variance(members, result, false),
  stddev: (members, result) => variance(members, result, true),
  quantile: quantiles,
}

function count(members: readonly GridSeries[], { values, present }: GridSeries): void {
  for (const { present: isThere } of members) {
    for (let i = 0; i < values.length; i += 1) {
      if (isThere[i] !== 1) continue
      values[i] = (values[i] as number) + 1
      present[i] = 1
    }
  }
}

function sum(members: readonly GridSeries[], { values, present }: GridSeries): void {
  const lost = new Float64Array(values.length)
  for (const { values: own, present: isThere } of members) {
    for (let i = 0; i < values.length; i += 1) {
      if (isThere[i] !== 1) continue
      const value = own[i] as number
      if (present[i] === 0) {
        present[i] = 1
        values[i] = value
        continue
      }
      const before = values[i] as number
      const next = before + value
      values[i] = next
      if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) lost[i] = 0
      else if (Math.abs(before) >= Math.abs(value)) lost[i] = (lost[i] as number) + (before - next + value)
      else lost[i] = (lost[i] as number) + (value - next + before)
    }
  }
  for (let i = 0; i < values.length; i += 1) {
    // Adding nothing must not make 0 of -0.
    if (lost[i] !== 0) values[i] = (values[i] as number) + (lost[i] as number)
  }
}

/** By the sum and the count; from where the sum would overflow by an incremental mean. */
function average(members: readonly GridSeries[], { values, present }: GridSeries): void {
  const lost = new Float64Array(values.length)
  const counts = new Float64Array(values.length)
  const isIncremental = new Uint8Array(values.length)
  for (const { values: own, present: isThere } of members) {
    for (let i = 0; i < values.length; i += 1) {
      if (isThere[i] !== 1) continue
      const value = own[i] as number
      const count = (counts[i] as number) + 1
      counts[i] = count
      present[i] = 1
      if (count === 1) {
        values[i] = value
        continue
      }
      const before = values[i] as number
      if (isIncremental[i] === 0) {
        const next = before + value
        if (Math.abs(next) !== Number.POSITIVE_INFINITY) {
          lost[i] = lostWith(before, lost[i] as number, value)
          values[i] = next
          continue
        }
        isIncremental[i] = 1
        values[i] = before / (count - 1)
        lost[i] = (lost[i] as number) / (count - 1)
      }
      const share = (count - 1) / count
      const shared = share * (values[i] as number)
      lost[i] = lostWith(shared, share * (lost[i] as number), value / count)
      values[i] = shared + value / count
    }
  }
  for (let i = 0; i < values.length; i += 1) {
    const by = isIncremental[i] === 1 ? 1 : (counts[i] as number)
    if (by > 0) values[i] = (values[i] as number) / by + (lost[i] as number) / by
  }
}

/** The largest (`sign` 1) or smallest (-1); NaN only where there is nothing else. */
function extreme(members: readonly GridSeries[], { values, present }: GridSeries, sign: 1 | -1): void {
  for (const { values: own, present: isThere } of members) {
    for (let i = 0; i < values.length; i += 1) {
      if (isThere[i] !== 1) continue
      const value = own[i] as number
      const best = values[i] as number
      if (present[i] === 0 || (sign === 1 ? value > best : value < best) || Number.isNaN(best))
        values[i] = value
      present[i] = 1
    }
  }
}

/** Welford's algorithm. */
function variance(
  members: readonly GridSeries[],
  { values, present }: GridSeries,
  isDeviation: boolean,
): void {
  const counts = new Float64Array(values.length)
  const means = new Float64Array(values.length)
  for (const { values: own, present: isThere } of members) {
    for (let i = 0; i < values.length; i += 1) {
      if (isThere[i] !== 1) continue
      const value = own[i] as number
      const count = (counts[i] as number) + 1
      counts[i] = count
      present[i] = 1
      const mean = means[i] as number
      const delta = value - mean
      means[i] = mean + delta / count
      values[i] = (values[i] as number) + delta * (value - (means[i] as number))
    }
  }
  for (let i = 0; i < values.length; i += 1) {
    if (present[i] !== 1) continue
    const squared = (values[i] as number) / (counts[i] as number)
    values[i] = isDeviation ? Math.sqrt(squared) : squared
  }
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
