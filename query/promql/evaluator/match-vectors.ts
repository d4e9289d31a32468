import {
  keepLabels,
  type Labels,
  labelsKey,
  labelsText,
  labelValue,
  METRIC_NAME,
  withLabel,
  withoutLabels,
} from '../../../model/labels.ts'
import type { ArithmeticOp, BinaryExpr, ComparisonOp, VectorMatching } from '../ast.ts'
import { type Evaluation, executionError, withoutName } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere } from './grid.ts'
import { elementOperator, isArithmetic } from './scalar-operators.ts'

/** The part of a series' labels by which two vectors are matched, as a key. */
export function matchKey(matching: VectorMatching): (labels: Labels) => string {
  const names = new Set(matching.labels)
  if (matching.isOn) return (labels) => labelsKey(keepLabels(labels, names))
  names.add(METRIC_NAME)
  return (labels) => labelsKey(withoutLabels(labels, names))
}

/**
 * An arithmetic operator or comparison on two vectors: series are paired by their labels, moment by moment. Throws
 * QUERY_EXECUTION_FAILED where a pair is not unique.
 */
export function matchVectors(
  run: Evaluation,
  node: BinaryExpr & { readonly op: ArithmeticOp | ComparisonOp; readonly matching: VectorMatching },
  lhs: readonly GridSeries[],
  rhs: readonly GridSeries[],
  grid: Grid,
): readonly GridSeries[] {
  const { matching, op, returnBool } = node
  const isSwapped = matching.card === 'one-to-many'
  const isOneToOne = matching.card === 'one-to-one'
  const [many, one] = isSwapped ? [rhs, lhs] : [lhs, rhs]
  const keyOf = matchKey(matching)
  const partners = groupBy(one, keyOf)
  const compute = elementOperator(op, returnBool)
  const results = new Map<string, GridSeries>()
  // Which result a moment's pair went to: for one-to-one by match, else by the labels of the result.
  const taken = new Map<string, Uint8Array>()
  // Where the other side is empty there is nothing to match, and so nothing to refuse.
  const isAnyPresent = anyPresent(many, grid)
  for (const group of partners.values()) refuseDuplicates(matching, group, isAnyPresent, isSwapped)

  for (const series of many) {
    const key = keyOf(series.labels)
    for (const partner of partners.get(key) ?? []) {
      const labels = resultLabels(run, node, series.labels, partner.labels)
      const resultKey = labelsKey(labels.labels)
      const takenKey = isOneToOne ? key : resultKey
      const seen = taken.get(takenKey) ?? new Uint8Array(grid.count)
      taken.set(takenKey, seen)
      const result = results.get(resultKey) ?? emptySeries(labels.labels, labels.dropName, grid)
      results.set(resultKey, result)
      for (let i = 0; i < grid.count; i += 1) {
        if (series.present[i] !== 1 || partner.present[i] !== 1) continue
        const mine = series.values[i] as number
        const theirs = partner.values[i] as number
        const value = isSwapped ? compute(theirs, mine) : compute(mine, theirs)
        if (value === undefined) continue
        if (seen[i] === 1 || result.present[i] === 1) throw multipleMatches(isOneToOne)
        seen[i] = 1
        result.present[i] = 1
        result.values[i] = value
      }
    }
  }
  return [...results.values()].filter(isAnywhere)
}

/** 1 at every moment at which one of the series is present. */
export function anyPresent(group: readonly GridSeries[], grid: Grid): Uint8Array {
  const [only] = group
  if (group.length === 1 && only !== undefined) return only.present
  const present = new Uint8Array(grid.count)
  for (const series of group) {
    for (let i = 0; i < grid.count; i += 1) {
      if (series.present[i] === 1) present[i] = 1
    }
  }
  return present
}

/** Series by key, in order. */
export function groupBy(
  series: readonly GridSeries[],
  keyOf: (labels: Labels) => string,
): Map<string, GridSeries[]> {
  const groups = new Map<string, GridSeries[]>()
  for (const one of series) {
    const key = keyOf(one.labels)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

function resultLabels(
  run: Evaluation,
  { matching, op, returnBool }: BinaryExpr & { readonly matching: VectorMatching },
  many: Labels,
  one: Labels,
): Pick<GridSeries, 'labels' | 'dropName'> {
  const isNameless = isArithmetic(op as ArithmeticOp) || returnBool
  let { labels, dropName } = isNameless ? withoutName(run, many) : { labels: many, dropName: false }
  if (matching.card === 'one-to-one') {
    const names = new Set(matching.labels)
    labels = matching.isOn ? keepLabels(labels, names) : withoutLabels(labels, names)
  }
  for (const name of matching.include) labels = withLabel(labels, name, labelValue(one, name))
  return { labels, dropName }
}

function refuseDuplicates(
  matching: VectorMatching,
  group: readonly GridSeries[],
  isAnyPresent: Uint8Array,
  isSwapped: boolean,
): void {
  if (group.length < 2) return
  for (let i = 0; i < isAnyPresent.length; i += 1) {
    if (isAnyPresent[i] !== 1) continue
    const [first, second] = group.filter((series) => series.present[i] === 1)
    if (first === undefined || second === undefined) continue
    const names = new Set(matching.labels)
    const matched = matching.isOn
      ? keepLabels(first.labels, names)
      : withoutLabels(first.labels, names.add(METRIC_NAME))
    const side = isSwapped ? 'left' : 'right'
    throw executionError(
      `found duplicate series for the match group ${labelsText(matched)} on the ${side} hand-side of the operation: [${labelsText(second.labels)}, ${labelsText(first.labels)}];many-to-many matching not allowed: matching labels must be unique on one side`,
    )
  }
}

function multipleMatches(isOneToOne: boolean): Error {
  return executionError(
    isOneToOne
      ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
      : 'multiple matches for labels: grouping labels must ensure unique matches',
  )
}
