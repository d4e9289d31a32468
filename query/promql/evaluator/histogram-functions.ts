import {
  labelsKey,
  labelValue,
  METRIC_NAME,
  quoteText,
  withLabel,
  withoutLabels,
} from '../../../model/labels.ts'
import type { Expr } from '../ast.ts'
import { formatBound } from '../format-float.ts'
import { forMetric } from './annotations.ts'
import { type Bucket, bucketFraction, bucketQuantile, repairBuckets } from './classic-buckets.ts'
import { badQuantile } from './evaluate-range-function.ts'
import { type Evaluation, executionError, mergeEqualLabels, withoutName } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere } from './grid.ts'

interface Histogram {
  readonly metric: GridSeries
  readonly buckets: { readonly bound: number; readonly series: GridSeries }[]
}

/** `histogram_quantile` of classic histograms: `_bucket` series told apart by `le`. Doubts are noted at `at`. */
export function histogramQuantile(
  run: Evaluation,
  grid: Grid,
  phi: { readonly values: Float64Array; readonly at: Expr },
  vector: { readonly series: readonly GridSeries[]; readonly at: Expr },
): readonly GridSeries[] {
  const bad = phi.values.find((value) => !(value >= 0 && value <= 1))
  if (bad !== undefined) run.notes.warn(badQuantile(bad), phi.at)
  return perHistogram(run, grid, vector, (buckets, i, name) => {
    const wanted = phi.values[i] as number
    if (Number.isNaN(wanted)) return Number.NaN
    if (wanted < 0) return Number.NEGATIVE_INFINITY
    if (wanted > 1) return Number.POSITIVE_INFINITY
    const repaired = repairBuckets(buckets)
    if (repaired === null) return Number.NaN
    if (repaired.wasForced) {
      run.notes.inform(
        `input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)${forMetric(name)}`,
        vector.at,
      )
    }
    return bucketQuantile(wanted, repaired.buckets)
  })
}

/** `histogram_quantiles` of classic histograms: one series per φ, told apart by the label `name`. */
export function histogramQuantiles(
  run: Evaluation,
  grid: Grid,
  phis: readonly { readonly values: Float64Array; readonly at: Expr }[],
  name: string,
  vector: { readonly series: readonly GridSeries[]; readonly at: Expr },
): readonly GridSeries[] {
  if (vector.series.some(({ labels }) => labelValue(labels, name) !== '')) {
    throw executionError(`label ${quoteText(name)} is already present in the input of histogram_quantiles`)
  }
  const all = phis.flatMap((phi) => {
    const text = formatBound(phi.values[0] as number)
    return histogramQuantile(run, grid, phi, vector).map((series) => ({
      ...series,
      labels: withLabel(series.labels, name, text),
    }))
  })
  return mergeEqualLabels(all)
}

/** `histogram_fraction` of classic histograms. */
export function histogramFraction(
  run: Evaluation,
  grid: Grid,
  bounds: { readonly lower: Float64Array; readonly upper: Float64Array },
  vector: { readonly series: readonly GridSeries[]; readonly at: Expr },
): readonly GridSeries[] {
  return perHistogram(run, grid, vector, (buckets, i) => {
    const repaired = repairBuckets(buckets)
    if (repaired === null) return Number.NaN
    return bucketFraction(bounds.lower[i] as number, bounds.upper[i] as number, repaired.buckets)
  })
}

function perHistogram(
  run: Evaluation,
  grid: Grid,
  vector: { readonly series: readonly GridSeries[]; readonly at: Expr },
  compute: (buckets: readonly Bucket[], index: number, name: string) => number,
): readonly GridSeries[] {
  const found: GridSeries[] = []
  for (const { metric, buckets } of groupBuckets(run, vector)) {
    const named = withoutName(run, metric.labels)
    const result = emptySeries(named.labels, named.dropName, grid)
    const name = labelValue(metric.labels, METRIC_NAME)
    for (let i = 0; i < grid.count; i += 1) {
      const present = buckets.filter(({ series }) => series.present[i] === 1)
      if (present.length === 0) continue
      const counts = present.map(({ bound, series }) => ({ bound, count: series.values[i] as number }))
      result.values[i] = compute(counts, i, name)
      result.present[i] = 1
    }
    if (isAnywhere(result)) found.push(result)
  }
  return mergeEqualLabels(found)
}

const BUCKET_LABEL = new Set(['le'])
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

function groupBuckets(
  run: Evaluation,
  vector: { readonly series: readonly GridSeries[]; readonly at: Expr },
): Histogram[] {
  const byLabels = new Map<string, Histogram>()
  for (const series of vector.series) {
    const text = labelValue(series.labels, 'le')
    const bound = parseBound(text)
    if (bound === null) {
      const name = labelValue(series.labels, METRIC_NAME)
      run.notes.warn(
        `bucket label "le" is missing or has a malformed value of ${quoteText(text)}${forMetric(name)}`,
        vector.at,
      )
      continue
    }
    const labels = withoutLabels(series.labels, BUCKET_LABEL)
    const key = labelsKey(labels)
    const histogram = byLabels.get(key) ?? { metric: { ...series, labels }, buckets: [] }
    histogram.buckets.push({ bound, series })
    byLabels.set(key, histogram)
  }
  return [...byLabels.values()]
}

/** A bound as Go's `strconv.ParseFloat` reads it, but for hexadecimals; null when it is none. */
function parseBound(text: string): number | null {
  if (DECIMAL.test(text)) return Number(text)
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text)
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return /^nan$/i.test(text) ? Number.NaN : null
}
