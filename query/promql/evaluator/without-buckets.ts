import { EMPTY_HISTOGRAM, type FloatHistogram } from '../../../model/float-histogram.ts'
import { isCounterReset } from '../../../model/histogram/is-counter-reset.ts'
import { childrenOf, type Expr, type VectorSelector } from '../ast.ts'
import { type HistogramList, placesOf } from '../histogram-list.ts'
import { sampleSize } from '../sample-size.ts'
import type { Series } from '../series-source.ts'

/** These look at a native histogram's count and sum only. */
const STATISTICS = new Set(['histogram_count', 'histogram_sum', 'histogram_avg'])
/** These look at its buckets. */
const WHOLE = new Set(['histogram_quantile', 'histogram_quantiles', 'histogram_fraction'])

/**
 * Leaves of native histograms only what a query looks at: under `histogram_count`, `histogram_sum` and `histogram_avg` counts and sums, without
 * buckets, unless a subquery, a trimming operator or a function that needs buckets stands in between or above (`detectHistogramStatsDecoding`
 * of Prometheus). It makes a difference: bounds of their own need not be brought together then.
 */
export function withoutBuckets(
  expr: Expr,
  samples: ReadonlyMap<VectorSelector, readonly Series[]>,
): ReadonlyMap<VectorSelector, readonly Series[]> {
  const found = new Set<VectorSelector>()
  collect(expr, false, found)
  if (found.size === 0) return samples
  return new Map(
    [...samples].map(([selector, series]) => [
      selector,
      found.has(selector) ? series.map(statisticsOf) : series,
    ]),
  )
}

function collect(expr: Expr, isStatistic: boolean, into: Set<VectorSelector>): void {
  if (expr.kind === 'subquery' || (expr.kind === 'call' && WHOLE.has(expr.name))) return
  if (expr.kind === 'binary' && (expr.op === '</' || expr.op === '>/')) return
  if (expr.kind === 'vectorSelector' && isStatistic) into.add(expr)
  const isBelow = isStatistic || (expr.kind === 'call' && STATISTICS.has(expr.name))
  for (const child of childrenOf(expr)) collect(child, isBelow, into)
}

function statisticsOf(series: Series): Series {
  const { histograms } = series
  return histograms == null ? series : { ...series, histograms: statisticsList(histograms) }
}

function statisticsList(list: HistogramList): HistogramList {
  const places = placesOf(list, true)
  // Where in `places` each place stands.
  const ranks = new Int32Array(list.length)
  for (const [rank, place] of places.entries()) ranks[place] = rank
  const hints = new Array<FloatHistogram['counterResetHint'] | undefined>(places.length)
  const hintAt = (place: number) => {
    const rank = ranks[place] as number
    const before = rank === 0 ? null : list.at(places[rank - 1] as number)
    hints[rank] ??= hintOf(list.at(place), before)
    return hints[rank]
  }
  return {
    length: list.length,
    has: list.has,
    at: (place) => {
      const { schema, count, sum } = list.at(place)
      return { ...EMPTY_HISTOGRAM, schema, count, sum, counterResetHint: hintAt(place) }
    },
    size: places.length * sampleSize(EMPTY_HISTOGRAM),
  }
}

/** Without buckets a reset cannot be seen any more, so it is said. */
function hintOf(
  histogram: FloatHistogram,
  before: FloatHistogram | null,
): FloatHistogram['counterResetHint'] {
  if (histogram.counterResetHint !== 'unknown' || before === null) return histogram.counterResetHint
  return isCounterReset(histogram, before) ? 'reset' : 'not_reset'
}
