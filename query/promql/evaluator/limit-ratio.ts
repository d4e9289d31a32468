import type { Expr } from '../ast.ts'
import { annotationTexts } from './annotation-texts.ts'
import { type Evaluation, executionError } from './evaluation.ts'
import { type GridSeries, isAnywhere } from './grid.ts'
import { createRatioOffset } from './ratio-offset.ts'

/**
 * `limit_ratio`: about that share of the series, always the same ones; of a negative ratio those that the rest of it to 1 leaves out. Throws
 * QUERY_EXECUTION_FAILED for a ratio that is no number.
 */
export async function limitRatio(
  run: Pick<Evaluation, 'notes'>,
  series: readonly GridSeries[],
  ratios: Float64Array,
  at: Expr,
): Promise<GridSeries[]> {
  if (ratios.every((ratio) => ratio === 0)) return []
  if (ratios.some(Number.isNaN)) throw executionError('Ratio value is NaN')
  const greatest = ratios.reduce((a, b) => Math.max(a, b))
  const least = ratios.reduce((a, b) => Math.min(a, b))
  if (greatest > 1) run.notes.warn(annotationTexts.badRatio(greatest, 1), at)
  if (least < -1) run.notes.warn(annotationTexts.badRatio(least, -1), at)
  const offsetOf = await createRatioOffset()
  return series
    .map((one) => {
      const offset = offsetOf(one.labels)
      return { ...one, present: one.present.map((is, i) => (isKept(offset, ratios[i] as number) ? is : 0)) }
    })
    .filter(isAnywhere)
}

function isKept(offset: number, ratio: number): boolean {
  if (ratio === 0) return false
  const capped = Math.max(-1, Math.min(1, ratio))
  return capped > 0 ? offset < capped : offset >= 1 + capped
}
