import type { FloatHistogram } from '../../../model/float-histogram.ts'
import {
  bracedLabelsText,
  keepLabels,
  type Labels,
  labelsKey,
  labelValue,
  METRIC_NAME,
  withLabel,
  withoutLabels,
} from '../../../model/labels.ts'
import type { ArithmeticOp, BinaryExpr, ComparisonOp, TrimOp, VectorMatching } from '../ast.ts'
import { type Evaluation, executionError, withoutName } from './evaluation.ts'
import { filledSeries, isFilled } from './fill-missing.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere, setHistogram } from './grid.ts'
import { operateOnHistograms } from './histogram-operators.ts'
import { withoutMetadata } from './metadata-labels.ts'
import { elementOperator, isArithmetic, isTrim } from './scalar-operators.ts'
import { createStepNotes, type StepNotes } from './step-notes.ts'

/** The part of a series' labels by which two vectors are matched, as a key. */
export function matchKey(matching: VectorMatching): (labels: Labels) => string {
  const names = new Set(matching.labels)
  if (matching.isOn) return (labels) => labelsKey(keepLabels(labels, names))
  names.add(METRIC_NAME)
  return (labels) => labelsKey(withoutLabels(labels, names))
}

/**
 * An operator on two vectors, other than those on sets: series are paired by their labels, moment by moment; those that have no partner, with what
 * `fill…` says. Throws QUERY_EXECUTION_FAILED where a pair is not unique.
 */
export async function matchVectors(
  run: Evaluation,
  node: BinaryExpr & { readonly op: PairOp; readonly matching: VectorMatching },
  lhs: readonly GridSeries[],
  rhs: readonly GridSeries[],
  grid: Grid,
): Promise<readonly GridSeries[]> {
  const { matching } = node
  const isSwapped = matching.card === 'one-to-many'
  const isOneToOne = matching.card === 'one-to-one'
  const [many, one] = isSwapped ? [rhs, lhs] : [lhs, rhs]
  const keyOf = matchKey(matching)
  const partners = groupBy(one, keyOf)
  const results = new Map<string, GridSeries>()
  // Which moments of a match have had their pair: of one-to-one the match itself, else the match with the labels of the result.
  const taken = new Map<string, Uint8Array>()
  const takenOfMatch = new Map<string, Uint8Array[]>()
  // Where the other side is empty, and not filled, there is nothing to match, and so nothing to refuse.
  const isAnyPresent = isFilled(matching) ? new Uint8Array(grid.count).fill(1) : anyPresent(many, grid)
  for (const group of partners.values()) refuseDuplicates(matching, group, isAnyPresent, isSwapped)
  const notes = createStepNotes()

  const operate = (key: string, series: GridSeries, partner: GridSeries): void => {
    const { labels, dropName } = resultLabels(run, node, series.labels, partner.labels)
    const resultKey = labelsKey(labels)
    const takenKey = isOneToOne ? key : `${key} ${resultKey}`
    let seen = taken.get(takenKey)
    if (seen === undefined) {
      seen = new Uint8Array(grid.count)
      taken.set(takenKey, seen)
      const ofMatch = takenOfMatch.get(key)
      if (ofMatch === undefined) takenOfMatch.set(key, [seen])
      else ofMatch.push(seen)
    }
    const result = results.get(resultKey) ?? emptySeries(labels, dropName, grid)
    results.set(resultKey, result)
    const pair = { left: isSwapped ? partner : series, right: isSwapped ? series : partner, isOneToOne }
    operateOnPair(node, pair, seen, result, notes)
  }
  const { fillLeft, fillRight } = matching
  for (const series of many) {
    const key = keyOf(series.labels)
    const group = partners.get(key) ?? []
    for (const partner of group) operate(key, series, partner)
    const rest = run.breathe()
    if (rest !== undefined) await rest
    // Prometheus does not swap these two with the sides: they mean the side of the many and that of the one.
    if (fillRight === null) continue
    operate(
      key,
      series,
      filledSeries(
        series,
        matching,
        fillRight,
        group.map(({ present }) => present),
      ),
    )
  }
  if (fillLeft !== null) {
    for (const [key, group] of partners) {
      const matched = (takenOfMatch.get(key) ?? []).map((moments) => moments.slice())
      for (const partner of group) operate(key, filledSeries(partner, matching, fillLeft, matched), partner)
    }
  }
  notes.tell(run.notes, node)
  return [...results.values()].filter(isAnywhere)
}

/** The operators on pairs of elements. */
type PairOp = ArithmeticOp | ComparisonOp | TrimOp

interface Pair {
  readonly left: GridSeries
  readonly right: GridSeries
  readonly isOneToOne: boolean
}

function operateOnPair(
  { op, returnBool }: { readonly op: PairOp; readonly returnBool: boolean },
  { left, right, isOneToOne }: Pair,
  seen: Uint8Array,
  result: GridSeries,
  notes: StepNotes,
): void {
  const compute = isTrim(op) ? null : elementOperator(op, returnBool)
  for (let i = 0; i < seen.length; i += 1) {
    if (left.present[i] !== 1 || right.present[i] !== 1) continue
    const mine = left.histograms?.[i] ?? null
    const theirs = right.histograms?.[i] ?? null
    let value: number | FloatHistogram | undefined
    if (compute !== null && mine === null && theirs === null) {
      value = compute(left.values[i] as number, right.values[i] as number)
    } else {
      const outcome = operateOnHistograms(
        op,
        mine ?? (left.values[i] as number),
        theirs ?? (right.values[i] as number),
      )
      if (outcome.note !== null) notes.set(i, outcome.note)
      if (outcome.histogram === null) continue
      if (returnBool) value = outcome.isKept ? 1 : 0
      else if (outcome.isKept) value = outcome.histogram
    }
    // What a comparison filters out has been matched all the same.
    if (seen[i] === 1) throw multipleMatches(isOneToOne)
    seen[i] = 1
    if (value === undefined) continue
    if (result.present[i] === 1) throw executionError('vector cannot contain metrics with the same labelset')
    if (typeof value === 'number') {
      result.present[i] = 1
      result.values[i] = value
    } else setHistogram(result, i, value)
  }
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
  // What is computed has lost its name for good, whenever other names are taken away.
  const computed = isArithmetic(op) ? withoutMetadata(many) : many
  let { labels, dropName } = returnBool ? withoutName(run, computed) : { labels: computed, dropName: false }
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
      `found duplicate series for the match group ${bracedLabelsText(matched)} on the ${side} hand-side of the operation: [${bracedLabelsText(second.labels)}, ${bracedLabelsText(first.labels)}];many-to-many matching not allowed: matching labels must be unique on one side`,
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
