import { labelValue, METRIC_NAME } from '../../../model/labels.ts'
import type { Expr } from '../ast.ts'
import type { GridAnswer, GridSeriesAnswer } from '../series-source.ts'
import { annotationTexts } from './annotation-texts.ts'
import { isCounterName } from './counter-name.ts'
import { haveOneName, KEEPS_NAME } from './evaluate-range-function.ts'
import { type Evaluation, refuseEqualLabels, withoutName } from './evaluation.ts'
import { type Grid, type GridSeries, type GridValue, isAnywhere } from './grid.ts'
import type { GridUnit } from './plan-grids.ts'

/** What a source has computed for a node of the query. */
export interface ComputedGrid {
  readonly unit: GridUnit
  readonly answer: Extract<GridAnswer, { readonly isComputed: true }>
}

/** The value of a node that the source has computed; null when it has not. Tells what the evaluation from samples would tell. */
export function computedValue(
  run: Pick<Evaluation, 'computed' | 'isNameRemovalDelayed' | 'notes'>,
  expr: Expr,
): GridValue | null {
  const computed = run.computed.get(expr)
  if (computed === undefined) return null
  const { unit, answer } = computed
  const { name: computedName, range, request } = unit
  if (range !== null && (computedName === 'rate' || computedName === 'increase')) {
    const names =
      request.aggregate === null
        ? answer.series.map(({ labels }) => labelValue(labels, METRIC_NAME))
        : answer.series.length === 0
          ? []
          : answer.metrics
    for (const name of new Set(names)) {
      if (name !== '' && !isCounterName(name)) {
        run.notes.inform(annotationTexts.possibleNonCounter(name), range)
      }
    }
  }
  const keepsName = request.aggregate !== null || computedName === 'latest' || KEEPS_NAME.has(computedName)
  const series = answer.series.map((one): GridSeries => {
    const named = keepsName ? { labels: one.labels, dropName: false } : withoutName(run, one.labels)
    return { ...named, ...(unit.isConstant ? everywhere(one, unit.grid) : valuesOf(one)), histograms: null }
  })
  if (!keepsName && !run.isNameRemovalDelayed && !haveOneName(answer.series)) {
    refuseEqualLabels(series.filter(isAnywhere))
  }
  return { type: 'vector', series }
}

function valuesOf({ values, present }: GridSeriesAnswer): Pick<GridSeries, 'values' | 'present'> {
  return { values, present }
}

function everywhere(
  { values, present }: GridSeriesAnswer,
  { count }: Grid,
): Pick<GridSeries, 'values' | 'present'> {
  return {
    values: new Float64Array(count).fill(values[0] as number),
    present: new Uint8Array(count).fill(present[0] as number),
  }
}
