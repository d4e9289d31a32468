import type { SetOp, VectorMatching } from '../ast.ts'
import { mergeEqualLabels } from './evaluation.ts'
import type { Grid, GridSeries } from './grid.ts'
import { isAnywhere } from './grid.ts'
import { anyPresent, groupBy, matchKey } from './match-vectors.ts'

/** `and`, `unless` and `or` on two vectors, moment by moment: by whether a series of the other side has the same matching labels. */
export function combineSets(
  op: SetOp,
  matching: VectorMatching,
  lhs: readonly GridSeries[],
  rhs: readonly GridSeries[],
  grid: Grid,
): readonly GridSeries[] {
  const keyOf = matchKey(matching)
  const present = (series: readonly GridSeries[]) => {
    const byKey = new Map<string, Uint8Array>()
    for (const [key, group] of groupBy(series, keyOf)) byKey.set(key, anyPresent(group, grid))
    return byKey
  }
  if (op === 'or') {
    const left = present(lhs)
    return mergeEqualLabels([
      ...lhs,
      ...rhs.map((series) => mask(series, left.get(keyOf(series.labels)), false)).filter(isAnywhere),
    ])
  }
  const right = present(rhs)
  return lhs.map((series) => mask(series, right.get(keyOf(series.labels)), op === 'and')).filter(isAnywhere)
}

/** The series where the other side is present (`wanted` true) or is not. */
function mask(series: GridSeries, other: Uint8Array | undefined, wanted: boolean): GridSeries {
  if (other === undefined)
    return wanted ? { ...series, present: new Uint8Array(series.present.length) } : series
  const present = series.present.map((is, i) => (is === 1 && (other[i] === 1) === wanted ? 1 : 0))
  return { ...series, present }
}
