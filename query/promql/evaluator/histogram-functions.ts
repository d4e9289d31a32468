import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { histogramFraction as nativeFraction } from '../../../model/histogram/histogram-fraction.ts'
import { histogramQuantile as nativeQuantile } from '../../../model/histogram/histogram-quantile.ts'
import {
  type Labels,
  labelsKey,
  labelValue,
  METRIC_NAME,
  quoteText,
  withLabel,
  withoutLabels,
} from '../../../model/labels.ts'
import type { Expr } from '../ast.ts'
import { formatBound } from '../format-float.ts'
import { annotationTexts } from './annotation-texts.ts'
import {
  addBucket,
  bucketFraction,
  bucketQuantile,
  type ClassicBuckets,
  createClassicBuckets,
  forceMonotonic,
  isComplete,
} from './classic-buckets.ts'
import { type Evaluation, executionError, mergeEqualLabels, withoutName } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere, timeAt } from './grid.ts'

/** An instant vector and where it stands in the query. */
interface VectorArgument {
  readonly series: readonly GridSeries[]
  readonly at: Expr
}

/** A scalar and where it stands in the query. */
interface ScalarArgument {
  readonly values: Float64Array
  readonly at: Expr
}

/** `histogram_quantile` of native histograms and of classic ones: `_bucket` series told apart by `le`. */
export function histogramQuantile(
  run: Evaluation,
  grid: Grid,
  phi: ScalarArgument,
  vector: VectorArgument,
): readonly GridSeries[] {
  noteBadQuantiles(run, phi)
  const histograms = groupHistograms(run, grid, vector)
  return mergeEqualLabels(quantilesOf(run, grid, phi, phi.at, vector.at, histograms))
}

/** `histogram_quantiles`: one series per φ, told apart by the label `name`. */
export function histogramQuantiles(
  run: Evaluation,
  grid: Grid,
  phis: readonly ScalarArgument[],
  name: string,
  vector: VectorArgument,
): readonly GridSeries[] {
  if (vector.series.some(({ labels }) => labelValue(labels, name) !== '')) {
    throw executionError(`label ${quoteText(name)} is already present in the input of histogram_quantiles`)
  }
  const histograms = groupHistograms(run, grid, vector)
  const all = phis.flatMap((phi) => {
    noteBadQuantiles(run, phi)
    return quantilesOf(run, grid, phi, vector.at, vector.at, histograms).flatMap((series) =>
      splitByQuantile(series, name, phi.values),
    )
  })
  return mergeEqualLabels(all)
}

/** `histogram_fraction` of native and classic histograms. */
export function histogramFraction(
  run: Evaluation,
  grid: Grid,
  bounds: { readonly lower: ScalarArgument; readonly upper: ScalarArgument },
  vector: VectorArgument,
): readonly GridSeries[] {
  const { lower, upper } = bounds
  const compute: Compute = {
    native: (histogram, i, name) => {
      const outcome = nativeFraction(lower.values[i] as number, upper.values[i] as number, histogram)
      if (outcome.hasNaN) run.notes.inform(annotationTexts.fractionWithoutNaN(name), lower.at)
      return outcome.value
    },
    classic: (buckets, i) => {
      if (!isComplete(buckets)) return Number.NaN
      return bucketFraction(lower.values[i] as number, upper.values[i] as number, buckets)
    },
  }
  return mergeEqualLabels(evaluateEach(run, grid, groupHistograms(run, grid, vector), compute))
}

/** The places of what is noted are Prometheus': `nativeAt` and `classicAt`. */
function quantilesOf(
  run: Evaluation,
  grid: Grid,
  phi: ScalarArgument,
  nativeAt: Expr,
  classicAt: Expr,
  histograms: readonly Histogram[],
): GridSeries[] {
  return evaluateEach(run, grid, histograms, {
    native: (histogram, i, name) => {
      const { value, nanEffect } = nativeQuantile(phi.values[i] as number, histogram)
      if (nanEffect === 'result') run.notes.inform(annotationTexts.quantileIsNaN(name), nativeAt)
      if (nanEffect === 'skew') run.notes.inform(annotationTexts.quantileIsSkewed(name), nativeAt)
      return value
    },
    classic: (buckets, i, name) => {
      const wanted = phi.values[i] as number
      if (Number.isNaN(wanted)) return Number.NaN
      if (wanted < 0) return Number.NEGATIVE_INFINITY
      if (wanted > 1) return Number.POSITIVE_INFINITY
      if (!isComplete(buckets)) return Number.NaN
      const forced = forceMonotonic(buckets)
      if (forced !== null) {
        const text = annotationTexts.forcedMonotonicity(name)
        run.notes.informForced(text, classicAt, { ...forced, atMs: timeAt(grid, i) })
      }
      return bucketQuantile(wanted, buckets)
    },
  })
}

interface Compute {
  readonly native: (histogram: FloatHistogram, i: number, name: string) => number
  readonly classic: (buckets: ClassicBuckets, i: number, name: string) => number
}

function evaluateEach(
  run: Evaluation,
  grid: Grid,
  histograms: readonly Histogram[],
  { native, classic }: Compute,
): GridSeries[] {
  const found: GridSeries[] = []
  for (const { labels, isMixed, buckets, natives } of histograms) {
    const named = withoutName(run, labels)
    // A name that has been taken away is not told, either.
    const name = run.isNameRemovalDelayed ? labelValue(labels, METRIC_NAME) : ''
    const result = emptySeries(named.labels, named.dropName, grid)
    const ascending = [...buckets].sort((a, b) => (a.bound < b.bound ? -1 : a.bound > b.bound ? 1 : 0))
    const counts = createClassicBuckets(buckets.length)
    for (let i = 0; i < grid.count; i += 1) {
      if (isMixed[i] === 1) continue
      const own = natives.length === 0 ? null : nativeAt(natives, i)
      if (own !== null) {
        result.values[i] = native(own, i, name)
        result.present[i] = 1
        continue
      }
      counts.length = 0
      for (const { bound, series } of ascending) {
        if (isNumberAt(series, i)) addBucket(counts, bound, series.values[i] as number)
      }
      if (counts.length === 0) continue
      result.values[i] = classic(counts, i, name)
      result.present[i] = 1
    }
    if (isAnywhere(result)) found.push(result)
  }
  return found
}

function nativeAt(natives: readonly GridSeries[], i: number): FloatHistogram | null {
  for (const { present, histograms } of natives) {
    const histogram = histograms?.[i] ?? null
    if (present[i] === 1 && histogram !== null) return histogram
  }
  return null
}

function noteBadQuantiles(run: Evaluation, { values, at }: ScalarArgument): void {
  for (const phi of values) if (!(phi >= 0 && phi <= 1)) run.notes.warn(annotationTexts.badQuantile(phi), at)
}

/** One series per value that φ has. */
function splitByQuantile(series: GridSeries, name: string, phis: Float64Array): GridSeries[] {
  const texts = [...phis].map(formatBound)
  return [...new Set(texts)].map((text) => ({
    ...series,
    labels: withLabel(series.labels, name, text),
    present: series.present.map((is, i) => (texts[i] === text ? is : 0)),
  }))
}

/** Everything that is known of one histogram: its labels without `le`. */
interface Histogram {
  readonly labels: Labels
  readonly buckets: { readonly bound: number; readonly series: GridSeries }[]
  readonly natives: GridSeries[]
  /** 1 where it is native and classic at once, and so nothing is told. */
  readonly isMixed: Uint8Array
}

const BUCKET_LABEL = new Set(['le'])
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

function groupHistograms(run: Evaluation, grid: Grid, vector: VectorArgument): Histogram[] {
  const byLabels = new Map<string, Histogram>()
  const histogramFor = (labels: Labels): Histogram => {
    const key = labelsKey(labels)
    const known = byLabels.get(key)
    if (known !== undefined) return known
    const histogram = { labels, buckets: [], natives: [], isMixed: new Uint8Array(grid.count) }
    byLabels.set(key, histogram)
    return histogram
  }
  for (const series of vector.series) {
    if (series.histograms != null) histogramFor(series.labels).natives.push(series)
    if (!hasNumbers(series)) continue
    const text = labelValue(series.labels, 'le')
    const bound = parseBound(text)
    if (bound === null) {
      const name = labelValue(series.labels, METRIC_NAME)
      run.notes.warn(annotationTexts.badBucketLabel(text, name), vector.at)
      continue
    }
    histogramFor(withoutLabels(series.labels, BUCKET_LABEL)).buckets.push({ bound, series })
  }
  for (const histogram of byLabels.values()) noteMixed(run, histogram, vector.at)
  return [...byLabels.values()]
}

function noteMixed(run: Evaluation, { labels, buckets, natives, isMixed }: Histogram, at: Expr): void {
  if (buckets.length === 0 || natives.length === 0) return
  for (let i = 0; i < isMixed.length; i += 1) {
    const isNative = natives.some(({ present, histograms }) => present[i] === 1 && histograms?.[i] != null)
    if (!isNative || !buckets.some(({ series }) => isNumberAt(series, i))) continue
    isMixed[i] = 1
    run.notes.warn(annotationTexts.mixedClassicNative(labelValue(labels, METRIC_NAME)), at)
  }
}

function hasNumbers(series: GridSeries): boolean {
  return series.histograms == null || series.present.some((_, i) => isNumberAt(series, i))
}

function isNumberAt({ present, histograms }: GridSeries, i: number): boolean {
  return present[i] === 1 && (histograms == null || histograms[i] === null)
}

/** A bound as Go's `strconv.ParseFloat` reads it, but for hexadecimals; null when it is none. */
function parseBound(text: string): number | null {
  if (DECIMAL.test(text)) {
    // Beyond the range of numbers is no number to Prometheus.
    return Number.isFinite(Number(text)) ? Number(text) : null
  }
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text)
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return /^nan$/i.test(text) ? Number.NaN : null
}
