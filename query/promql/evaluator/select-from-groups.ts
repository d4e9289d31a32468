import { histogramText } from '../../../model/histogram/histogram-text.ts'
import { withLabel } from '../../../model/labels.ts'
import type { AggregateExpr } from '../ast.ts'
import { formatFloat } from '../format-float.ts'
import { type Group, groupSeries } from './aggregate.ts'
import { executionError, mergeEqualLabels } from './evaluation.ts'
import { type Grid, type GridSeries, isAnywhere } from './grid.ts'

/** How many series of each group `topk`, `bottomk` and `limitk` keep at each moment. Throws QUERY_EXECUTION_FAILED. */
export function readCounts(values: Float64Array): Float64Array {
  for (const value of values) {
    if (Number.isNaN(value)) throw executionError('Parameter value is NaN')
    if (value >= 2 ** 63) throw executionError(`Scalar value ${formatFloat(value)} overflows int64`)
    if (value <= -(2 ** 63)) throw executionError(`Scalar value ${formatFloat(value)} underflows int64`)
  }
  return values.map(Math.trunc)
}

/**
 * The `counts[i]` largest (`topk`), smallest (`bottomk`) or first (`limitk`) series of each group at each moment. On a grid of one they
 * come in that order; NaN is last.
 */
export function selectFromGroups(
  op: 'topk' | 'bottomk' | 'limitk',
  groups: readonly Group[],
  grid: Grid,
  counts: Float64Array,
): GridSeries[] {
  const isBefore = op === 'topk' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b
  return groups.flatMap(({ members }) => {
    const kept = members.map((series) => ({ ...series, present: new Uint8Array(grid.count) }))
    let order: number[] = kept.map((_, index) => index)
    for (let i = 0; i < grid.count; i += 1) {
      const count = counts[i] as number
      if (count < 1) continue
      const present = members.flatMap((series, index) => (series.present[i] === 1 ? [index] : []))
      const numberOf = (index: number) => members[index]?.values[i] ?? Number.NaN
      const ranked = op === 'limitk' ? present : rank(present, numberOf, isBefore)
      const chosen = ranked.slice(0, count)
      for (const index of chosen) (kept[index] as GridSeries).present[i] = 1
      if (grid.count === 1) order = chosen
    }
    return order.map((index) => kept[index] as GridSeries).filter(isAnywhere)
  })
}

/** `count_values`: how many series of a group have each value, the value as the label `name`. */
export function countValues(
  node: AggregateExpr,
  name: string,
  series: readonly GridSeries[],
  grid: Grid,
): readonly GridSeries[] {
  // The label is given first, and then takes part in grouping.
  const labelled = series.flatMap((one) => splitByValue(one, name, grid))
  const grouping = node.isWithout ? node.grouping : [...node.grouping, name]
  const groups = groupSeries({ isWithout: node.isWithout, grouping }, labelled)
  return mergeEqualLabels(
    groups.map(({ labels, members }) => {
      const values = new Float64Array(grid.count)
      for (const { present } of members) {
        for (let i = 0; i < grid.count; i += 1) values[i] = (values[i] as number) + (present[i] as number)
      }
      // What is counted is a metric like any other, also where names are removed at the end.
      return {
        labels,
        dropName: false,
        values,
        present: Uint8Array.from(values, (value) => (value > 0 ? 1 : 0)),
      }
    }),
  )
}

function rank(
  present: readonly number[],
  numberOf: (index: number) => number,
  isBefore: (a: number, b: number) => boolean,
): number[] {
  return [...present].sort((a, b) => {
    const x = numberOf(a)
    const y = numberOf(b)
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y))
    if (x === y) return a - b
    return isBefore(x, y) ? -1 : 1
  })
}

function splitByValue(series: GridSeries, name: string, grid: Grid): GridSeries[] {
  const byText = new Map<string, GridSeries>()
  for (let i = 0; i < grid.count; i += 1) {
    if (series.present[i] !== 1) continue
    const histogram = series.histograms?.[i]
    const text =
      histogram == null ? formatFloat(series.values[i] as number, 'plain') : histogramText(histogram)
    const split = byText.get(text) ?? {
      ...series,
      labels: withLabel(series.labels, name, text),
      present: new Uint8Array(grid.count),
    }
    split.present[i] = 1
    byText.set(text, split)
  }
  return [...byText.values()]
}
