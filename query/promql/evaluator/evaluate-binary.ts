import { quoteText } from '../../../model/labels.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { ArithmeticOp, BinaryExpr, ComparisonOp, TrimOp } from '../ast.ts'
import type { Evaluate } from './evaluate.ts'
import { type Evaluation, executionError, mergeEqualLabels, notSupported, withoutName } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, type GridValue, isAnywhere, setHistogram } from './grid.ts'
import { operateOnHistograms } from './histogram-operators.ts'
import { matchVectors } from './match-vectors.ts'
import {
  ARITHMETIC,
  COMPARISON,
  elementOperator,
  isArithmetic,
  isComparison,
  isTrim,
} from './scalar-operators.ts'
import { combineSets } from './set-operators.ts'
import { createStepNotes, type StepNotes } from './step-notes.ts'

/** A binary operator on a grid. */
export async function evaluateBinary(
  run: Evaluation,
  node: BinaryExpr,
  grid: Grid,
  evaluate: Evaluate,
): Promise<GridValue> {
  const lhs = await evaluate(run, node.lhs, grid)
  const rhs = await evaluate(run, node.rhs, grid)
  const { op, matching } = node
  if (lhs.type === 'string' || rhs.type === 'string') throw notSupported(run, op, node)
  if (op === 'and' || op === 'or' || op === 'unless') {
    if (lhs.type !== 'vector' || rhs.type !== 'vector' || matching === null) throw notSupported(run, op, node)
    return { type: 'vector', series: combineSets(op, matching, lhs.series, rhs.series, grid) }
  }
  if (lhs.type === 'scalar' && rhs.type === 'scalar') {
    if (isTrim(op)) throw executionError(`operator ${quoteText(op)} not allowed for Scalar operations`)
    return { type: 'scalar', values: onScalars(op, lhs.values, rhs.values) }
  }
  if (lhs.type === 'vector' && rhs.type === 'vector') {
    if (matching === null)
      throw new AppError('INTERNAL', `Cannot evaluate ${op}: it does not say what matches`)
    await run.breathe()
    return {
      type: 'vector',
      series: await matchVectors(run, { ...node, op, matching }, lhs.series, rhs.series, grid),
    }
  }
  if (lhs.type === 'vector' && rhs.type === 'scalar') {
    return {
      type: 'vector',
      series: await withScalar(run, { ...node, op }, lhs.series, rhs.values, false, grid),
    }
  }
  if (lhs.type === 'scalar' && rhs.type === 'vector') {
    return {
      type: 'vector',
      series: await withScalar(run, { ...node, op }, rhs.series, lhs.values, true, grid),
    }
  }
  throw notSupported(run, op, node)
}

function onScalars(op: ArithmeticOp | ComparisonOp, lhs: Float64Array, rhs: Float64Array): Float64Array {
  if (isArithmetic(op)) {
    const compute = ARITHMETIC[op]
    return lhs.map((value, i) => compute(value, rhs[i] as number))
  }
  const holds = COMPARISON[op]
  return lhs.map((value, i) => (holds(value, rhs[i] as number) ? 1 : 0))
}

async function withScalar(
  run: Evaluation,
  node: BinaryExpr & { readonly op: ArithmeticOp | ComparisonOp | TrimOp },
  vector: readonly GridSeries[],
  scalar: Float64Array,
  isScalarLeft: boolean,
  grid: Grid,
): Promise<readonly GridSeries[]> {
  const { op, returnBool } = node
  const keepsName = !isArithmetic(op) && !returnBool
  const notes = createStepNotes()
  const found: GridSeries[] = []
  for (const series of vector) {
    const { labels, dropName } = keepsName ? series : withoutName(run, series.labels)
    const result = emptySeries(labels, dropName, grid)
    if (!isTrim(op)) numbersWithScalar(op, returnBool, series, scalar, isScalarLeft, result)
    if (isTrim(op) || series.histograms != null) {
      histogramsWithScalar(op, series, scalar, isScalarLeft, result, notes)
    }
    if (isAnywhere(result)) found.push(result)
    const rest = run.breathe()
    if (rest !== undefined) await rest
  }
  notes.tell(run.notes, node)
  return mergeEqualLabels(found)
}

function numbersWithScalar(
  op: ArithmeticOp | ComparisonOp,
  returnBool: boolean,
  series: GridSeries,
  scalar: Float64Array,
  isScalarLeft: boolean,
  { values, present }: GridSeries,
): void {
  const compute = elementOperator(op, returnBool)
  // A filter gives the vector's value, on whichever side it stands.
  const isFilter = isComparison(op) && !returnBool
  for (let i = 0; i < values.length; i += 1) {
    if (series.present[i] !== 1) continue
    const mine = series.values[i] as number
    const value = isScalarLeft ? compute(scalar[i] as number, mine) : compute(mine, scalar[i] as number)
    if (value === undefined) continue
    values[i] = isFilter ? mine : value
    present[i] = 1
  }
}

/** Native histograms and, with an operator that trims, numbers, too. */
function histogramsWithScalar(
  op: ArithmeticOp | ComparisonOp | TrimOp,
  series: GridSeries,
  scalar: Float64Array,
  isScalarLeft: boolean,
  result: GridSeries,
  notes: StepNotes,
): void {
  for (let i = 0; i < result.present.length; i += 1) {
    const histogram = series.histograms?.[i] ?? null
    if (series.present[i] !== 1 || (histogram === null && !isTrim(op))) continue
    result.present[i] = 0
    const mine = histogram ?? (series.values[i] as number)
    const theirs = scalar[i] as number
    const outcome = isScalarLeft
      ? operateOnHistograms(op, theirs, mine)
      : operateOnHistograms(op, mine, theirs)
    if (outcome.note !== null) notes.set(i, outcome.note)
    if (outcome.histogram !== null && outcome.isKept) setHistogram(result, i, outcome.histogram)
  }
}
