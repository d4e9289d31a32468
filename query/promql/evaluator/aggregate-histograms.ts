import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { compactHistogram } from '../../../model/histogram/compact-histogram.ts'
import { createHistogramMean } from '../../../model/histogram/histogram-mean.ts'
import { createHistogramSum } from '../../../model/histogram/histogram-sum.ts'
import { labelValue, METRIC_NAME } from '../../../model/labels.ts'
import type { Expr } from '../ast.ts'
import { type Group, reduceGroup } from './aggregate.ts'
import { annotationTexts } from './annotation-texts.ts'
import type { Annotations } from './annotations.ts'
import { type Grid, type GridSeries, setHistogram, withoutHistograms } from './grid.ts'

/**
 * `sum` or `avg` of a group some of whose members have native histograms. A moment with numbers and histograms gives nothing, and a warning;
 * so do histograms that cannot be added.
 */
export function combineGroup(
  op: 'sum' | 'avg',
  group: Group,
  grid: Grid,
  notes: Annotations,
  at: Expr,
): GridSeries {
  const numbers = { ...group, members: group.members.map(withoutHistograms) }
  const result = reduceGroup(op, numbers, grid, new Float64Array(0))
  for (let i = 0; i < grid.count; i += 1) {
    const hasHistogram = group.members.some(
      ({ present, histograms }) => present[i] === 1 && histograms?.[i] != null,
    )
    if (!hasHistogram) continue
    result.present[i] = 0
    const combined = combineAt(op, group.members, i, notes, at)
    if (combined !== null) setHistogram(result, i, combined)
  }
  return result
}

/** One moment, of whose members at least one is a histogram: members are taken in their order, as what is told depends on it. */
function combineAt(
  op: 'sum' | 'avg',
  members: readonly GridSeries[],
  i: number,
  notes: Annotations,
  at: Expr,
): FloatHistogram | null {
  const sum = op === 'sum' ? createHistogramSum() : createHistogramMean()
  let isFirst = true
  let startsWithNumber = false
  let hasNumber = false
  let hasHistogram = false
  for (const { labels, present, histograms } of members) {
    if (present[i] !== 1) continue
    const histogram = histograms?.[i] ?? null
    if (histogram === null) {
      hasNumber = true
      startsWithNumber ||= isFirst
    } else {
      hasHistogram = true
      if (!startsWithNumber && !sum.add(histogram)) {
        notes.warn(annotationTexts.mixedExponentialCustom(labelValue(labels, METRIC_NAME)), at)
        if (sum.wereBoundsReconciled())
          notes.inform(annotationTexts.mismatchedCustomBuckets('aggregation'), at)
        if (hasNumber) notes.warn(annotationTexts.mixedFloatsHistogramsInAggregation(), at)
        return null
      }
    }
    isFirst = false
  }
  if (sum.wereBoundsReconciled()) notes.inform(annotationTexts.mismatchedCustomBuckets('aggregation'), at)
  if (hasNumber && hasHistogram) {
    notes.warn(annotationTexts.mixedFloatsHistogramsInAggregation(), at)
    return null
  }
  if (sum.hasResetCollision()) notes.warn(annotationTexts.counterResetCollision('aggregation'), at)
  const combined = sum.result()
  return combined === null ? null : compactHistogram(combined)
}
