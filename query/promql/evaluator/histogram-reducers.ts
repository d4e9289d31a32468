import { compactHistogram } from '../../../model/histogram/compact-histogram.ts'
import { createHistogramMean } from '../../../model/histogram/histogram-mean.ts'
import { createHistogramSum, type HistogramSum } from '../../../model/histogram/histogram-sum.ts'
import { type Labels, labelValue, METRIC_NAME } from '../../../model/labels.ts'
import type { Expr } from '../ast.ts'
import { annotationTexts } from './annotation-texts.ts'
import type { Annotations } from './annotations.ts'
import { setHistogram, withoutHistograms } from './grid.ts'
import { GROUP_REDUCERS, type GroupReducer } from './group-reducers.ts'

/** A moment at which a member of the group is a histogram. */
interface Moment {
  readonly sum: HistogramSum
  /** The member that could not be added, if one came, and whether there was a number by then. */
  failure: { readonly labels: Labels; readonly hasNumber: boolean } | null
}

/**
 * `sum` or `avg` of a group some of whose members have native histograms. A moment with numbers and histograms gives nothing, and a warning;
 * so do histograms that cannot be added. Members are to be added in their order, as what is told depends on it.
 */
export function combineHistograms(
  op: 'sum' | 'avg',
  count: number,
  notes: Annotations,
  at: Expr,
): GroupReducer {
  const numbers = GROUP_REDUCERS[op](count)
  const hasNumber = new Uint8Array(count)
  const startsWithNumber = new Uint8Array(count)
  const moments: (Moment | undefined)[] = new Array(count)
  const tellReconciled = (sum: HistogramSum) => {
    if (sum.wereBoundsReconciled()) notes.inform(annotationTexts.mismatchedCustomBuckets('aggregation'), at)
  }
  const tellMixed = () => notes.warn(annotationTexts.mixedFloatsHistogramsInAggregation(), at)
  return {
    add(member) {
      numbers.add(withoutHistograms(member))
      const { labels, present, histograms } = member
      for (let i = 0; i < count; i += 1) {
        if (present[i] !== 1) continue
        const histogram = histograms?.[i] ?? null
        let moment = moments[i]
        if (histogram === null) {
          if (moment === undefined) startsWithNumber[i] = 1
          hasNumber[i] = 1
          continue
        }
        if (moment === undefined) {
          moment = { sum: op === 'sum' ? createHistogramSum() : createHistogramMean(), failure: null }
          moments[i] = moment
        }
        if (startsWithNumber[i] === 1 || moment.failure !== null || moment.sum.add(histogram)) continue
        moment.failure = { labels, hasNumber: hasNumber[i] === 1 }
      }
    },
    finish(result) {
      numbers.finish(result)
      // All is told here, moment by moment, as it would be of members that are known all at once.
      for (let i = 0; i < count; i += 1) {
        const moment = moments[i]
        if (moment === undefined) continue
        const { sum, failure } = moment
        result.present[i] = 0
        if (failure !== null) {
          const name = labelValue(failure.labels, METRIC_NAME)
          notes.warn(annotationTexts.mixedExponentialCustom(name), at)
        }
        tellReconciled(sum)
        if (failure === null ? hasNumber[i] === 1 : failure.hasNumber) {
          tellMixed()
          continue
        }
        if (failure !== null) continue
        if (sum.hasResetCollision()) notes.warn(annotationTexts.counterResetCollision('aggregation'), at)
        const combined = sum.result()
        if (combined !== null) setHistogram(result, i, compactHistogram(combined))
      }
    },
  }
}
