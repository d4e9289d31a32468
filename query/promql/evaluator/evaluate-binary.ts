import type { ArithmeticOp, BinaryExpr, ComparisonOp } from '../ast.ts'
import type { Evaluate } from './evaluate.ts'
import { type Evaluation, mergeEqualLabels, notSupported, withoutName } from './evaluation.ts'
import { type Grid, type GridSeries, type GridValue, isAnywhere } from './grid.ts'
import { matchVectors } from './match-vectors.ts'
import { ARITHMETIC, COMPARISON, elementOperator, isArithmetic, isComparison } from './scalar-operators.ts'
import { combineSets } from './set-operators.ts'

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
  if (!isArithmetic(op) && !isComparison(op)) throw notSupported(run, op, node)
  if (lhs.type === 'scalar' && rhs.type === 'scalar') {
    return { type: 'scalar', values: onScalars(op, lhs.values, rhs.values) }
  }
  if (lhs.type === 'vector' && rhs.type === 'vector') {
    if (matching === null || matching.fillLeft !== null || matching.fillRight !== null) {
      throw notSupported(run, 'fill', node)
    }
    await run.breathe()
    return {
      type: 'vector',
      series: matchVectors(run, { ...node, op, matching }, lhs.series, rhs.series, grid),
    }
  }
  if (lhs.type === 'vector' && rhs.type === 'scalar') {
    return { type: 'vector', series: withScalar(run, { ...node, op }, lhs.series, rhs.values, false) }
  }
  if (lhs.type === 'scalar' && rhs.type === 'vector') {
    return { type: 'vector', series: withScalar(run, { ...node, op }, rhs.series, lhs.values, true) }
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

function withScalar(
  run: Evaluation,
  { op, returnBool }: BinaryExpr & { readonly op: ArithmeticOp | ComparisonOp },
  vector: readonly GridSeries[],
  scalar: Float64Array,
  isScalarLeft: boolean,
): readonly GridSeries[] {
  const compute = elementOperator(op, returnBool)
  // A filter gives the vector's value, on whichever side it stands.
  const isFilter = isComparison(op) && !returnBool
  const results = vector.map((series) => {
    const values = new Float64Array(series.values.length)
    const present = new Uint8Array(series.values.length)
    for (let i = 0; i < values.length; i += 1) {
      if (series.present[i] !== 1) continue
      const mine = series.values[i] as number
      const value = isScalarLeft ? compute(scalar[i] as number, mine) : compute(mine, scalar[i] as number)
      if (value === undefined) continue
      values[i] = isFilter ? mine : value
      present[i] = 1
    }
    const named = isFilter ? series : withoutName(run, series.labels)
    return { labels: named.labels, dropName: named.dropName, values, present }
  })
  return mergeEqualLabels(results.filter(isAnywhere))
}
