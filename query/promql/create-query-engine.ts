import type { FloatHistogram } from '../../model/float-histogram.ts'
import { compareLabels } from '../../model/labels.ts'
import type { Clock } from '../../runtime/clock.ts'
import { AppError } from '../../runtime/errors.ts'
import { childrenOf, type Expr, typeOf, type VectorSelector } from './ast.ts'
import { createAnnotations } from './evaluator/annotations.ts'
import { evaluate } from './evaluator/evaluate.ts'
import { evaluateRange } from './evaluator/evaluate-range-function.ts'
import { type Evaluation, mergeEqualLabels } from './evaluator/evaluation.ts'
import { extendedRangeSamples } from './evaluator/extended-range-samples.ts'
import { emptyBounds, findWindows } from './evaluator/find-windows.ts'
import { type Grid, type GridSeries, gridBetween, timeAt } from './evaluator/grid.ts'
import { largestGrid } from './evaluator/largest-grid.ts'
import { loadInputs } from './evaluator/load-inputs.ts'
import { withoutMetadata } from './evaluator/metadata-labels.ts'
import { referenceTime } from './evaluator/plan-selectors.ts'
import { createTurns } from './evaluator/turns.ts'
import { withoutBuckets } from './evaluator/without-buckets.ts'
import { histogramsBetween } from './histogram-list.ts'
import { parseExpression } from './parse-expression.ts'
import type { InstantQuery, MatrixSeries, QueryEngine, QueryResult, RangeQuery } from './query-engine.ts'
import { resolveContext } from './resolve-context.ts'
import { resolveDurations } from './resolve-durations.ts'
import { resolveInfo } from './resolve-info.ts'
import type { Series, SeriesSource } from './series-source.ts'
import { tooManySamples } from './too-many-samples.ts'

/** What an engine is made from. Defaults are Prometheus'. */
export interface QueryEngineOptions {
  readonly source: SeriesSource
  readonly clock: Clock
  /** Samples that one query may hold; default 50,000,000. */
  readonly maxSamples?: number
  /** How far an instant selector looks back unless the query says; default 5 minutes. */
  readonly lookbackMs?: number
  /** Resolution of subqueries that name none; default 1 minute. */
  readonly defaultStepMs?: number
  /** Prometheus' feature `promql-delayed-name-removal`; default false. */
  readonly isNameRemovalDelayed?: boolean
  /**
   * Whether functions on counters know resets from the samples' start times, too (Prometheus' feature `use-start-timestamps`); default
   * false.
   */
  readonly usesStartTimestamps?: boolean
}

const LOOKBACK_MS = 300_000
const DEFAULT_STEP_MS = 60_000
const MAX_SAMPLES = 50_000_000

/** Makes an engine on a source. */
export function createQueryEngine(options: QueryEngineOptions): QueryEngine {
  const prepare = async (query: InstantQuery | RangeQuery, top: Grid) => {
    const { startMs, endMs, stepMs } =
      'timeMs' in query ? { startMs: query.timeMs, endMs: query.timeMs, stepMs: 0 } : query
    const parsed = parseExpression(query.expr)
    const timed = resolveDurations(query.expr, parsed, { stepMs, rangeMs: endMs - startMs })
    const expr = resolveInfo(resolveContext(timed, { startMs, endMs, stepMs }))
    const run = await startRun(options, query, expr, top)
    return { expr, run }
  }
  return {
    async instant(query) {
      const top: Grid = { startMs: query.timeMs, stepMs: 1, count: 1 }
      const { expr, run } = await prepare(query, top)
      const result = typeOf(expr) === 'matrix' ? await windowOf(run, expr) : await instantOf(run, expr)
      return { ...result, warnings: run.notes.warnings, infos: run.notes.infos }
    },
    async range(query) {
      const top = gridBetween(query.startMs, query.endMs, query.stepMs)
      const { expr, run } = await prepare(query, top)
      const type = typeOf(expr)
      if (type !== 'scalar' && type !== 'vector') {
        throw new AppError(
          'QUERY_PARSE_FAILED',
          `invalid expression type "${type === 'matrix' ? 'range vector' : type}" for range query, must be Scalar or instant Vector`,
        )
      }
      const matrix = top.count === 0 ? [] : await seriesOf(run, expr)
      return { type: 'matrix', matrix, warnings: run.notes.warnings, infos: run.notes.infos }
    },
  }
}

type Answer = QueryResult extends infer Each
  ? Each extends QueryResult
    ? Omit<Each, 'warnings' | 'infos'>
    : never
  : never

async function startRun(
  options: QueryEngineOptions,
  query: InstantQuery | RangeQuery,
  expr: Expr,
  top: Grid,
): Promise<Evaluation> {
  const lookbackMs = query.lookbackMs ?? options.lookbackMs ?? LOOKBACK_MS
  const defaultStepMs = options.defaultStepMs ?? DEFAULT_STEP_MS
  const maxSamples = options.maxSamples ?? MAX_SAMPLES
  const usesStartTimestamps = options.usesStartTimestamps === true
  const breathe = createTurns(options.clock, query.signal)
  const loading = { top, lookbackMs, defaultStepMs, maxSamples, usesStartTimestamps, breathe }
  const spend = (values: number) => {
    if (values > maxSamples) {
      throw tooManySamples()
    }
  }
  // One series of so many moments would be too much, so nothing is loaded for it.
  spend(largestGrid(expr, top, loading))
  const { samples: loaded, computed } = await loadInputs(options.source, query, expr, loading)
  const samples = withoutBuckets(expr, usesStartTimestamps ? loaded : withoutStarts(expr, loaded))
  return {
    text: query.expr,
    top,
    lookbackMs,
    defaultStepMs,
    isNameRemovalDelayed: options.isNameRemovalDelayed ?? false,
    usesStartTimestamps,
    samples,
    computed,
    notes: createAnnotations(query.expr),
    spend,
    breathe,
  }
}

/** The samples, those of range selectors without start times. */
function withoutStarts(
  expr: Expr,
  samples: ReadonlyMap<VectorSelector, readonly Series[]>,
): ReadonlyMap<VectorSelector, readonly Series[]> {
  const inRanges = new Set<VectorSelector>()
  const collect = (node: Expr): void => {
    if (node.kind === 'matrixSelector') inRanges.add(node.selector)
    childrenOf(node).forEach(collect)
  }
  collect(expr)
  return new Map(
    [...samples].map(([selector, series]) => {
      const hasStarts = inRanges.has(selector) && series.some(({ starts }) => starts != null)
      return [selector, hasStarts ? series.map((one) => ({ ...one, starts: null })) : series]
    }),
  )
}

async function instantOf(run: Evaluation, expr: Expr): Promise<Answer> {
  const { top } = run
  const timestampMs = top.startMs
  const value = await evaluate(run, expr, top)
  switch (value.type) {
    case 'string':
      return { type: 'string', timestampMs, value: value.value }
    case 'scalar':
      return { type: 'scalar', timestampMs, value: value.values[0] as number }
    case 'vector': {
      const vector = finishNames(value.series).map(({ labels, values, histograms }) => {
        const histogram = histograms?.[0]
        if (histogram == null) return { labels, timestampMs, value: values[0] as number }
        return { labels, timestampMs, value: 0, histogram }
      })
      return { type: 'vector', vector }
    }
  }
}

/** An instant query for a range vector: its samples as they are. */
async function windowOf(run: Evaluation, expr: Expr): Promise<Answer> {
  const { node, series } = await evaluateRange(run, expr, run.top, evaluate)
  const shift = node.kind === 'subquery' ? node : node.selector
  const ends = Float64Array.of(referenceTime(shift, run.top, 0, run.top))
  const bounds = emptyBounds(1)
  const matrix: MatrixSeries[] = []
  const extended = node.kind === 'subquery' ? '' : node.selector.bounds
  for (const one of series) {
    const { labels, dropName, timestamps, values, histograms } = one
    if (extended !== '') {
      const [endMs = 0] = ends
      const { lookbackMs } = run
      const window = { bounds: extended, startMs: endMs - node.rangeMs, endMs, lookbackMs }
      const samples = extendedRangeSamples(one, window)
      if (samples !== null) matrix.push({ labels, ...samples })
      continue
    }
    findWindows(timestamps, ends, node.rangeMs, 0, bounds)
    const [from = 0] = bounds.from
    const [to = 0] = bounds.to
    if (from === to) continue
    matrix.push({
      labels: dropName ? withoutMetadata(labels) : labels,
      timestamps: timestamps.slice(from, to),
      values: values.slice(from, to),
      ...(histograms == null ? {} : { histograms: histogramsBetween(histograms, from, to) }),
    })
  }
  return { type: 'matrix', matrix: matrix.sort((a, b) => compareLabels(a.labels, b.labels)) }
}

async function seriesOf(run: Evaluation, expr: Expr): Promise<MatrixSeries[]> {
  const { top } = run
  const value = await evaluate(run, expr, top)
  if (value.type === 'string') return []
  const series: readonly GridSeries[] =
    value.type === 'vector'
      ? finishNames(value.series)
      : [{ labels: [], dropName: false, values: value.values, present: new Uint8Array(top.count).fill(1) }]
  const times = new Float64Array(top.count).map((_, i) => timeAt(top, i))
  const matrix: MatrixSeries[] = []
  for (const one of series) {
    matrix.push(pointsOf(one, times))
    const rest = run.breathe()
    if (rest !== undefined) await rest
  }
  return matrix.sort((a, b) => compareLabels(a.labels, b.labels))
}

/** Only those points of a series that are there. */
function pointsOf({ labels, values, present, histograms }: GridSeries, times: Float64Array): MatrixSeries {
  const first = present.indexOf(1)
  const last = present.lastIndexOf(1)
  if (first === -1) return { labels, timestamps: new Float64Array(0), values: new Float64Array(0) }
  let count = 0
  for (let i = first; i <= last; i += 1) count += present[i] as number
  const own = histograms ?? null
  if (count === last - first + 1) {
    const points = {
      labels,
      timestamps: times.subarray(first, last + 1),
      values: values.subarray(first, last + 1),
    }
    return own === null ? points : { ...points, histograms: own.slice(first, last + 1) }
  }
  const timestamps = new Float64Array(count)
  const numbers = new Float64Array(count)
  const others = own === null ? null : new Array<FloatHistogram | null>(count).fill(null)
  let next = 0
  for (let i = first; i <= last; i += 1) {
    if (present[i] !== 1) continue
    timestamps[next] = times[i] as number
    numbers[next] = values[i] as number
    if (others !== null) others[next] = own?.[i] ?? null
    next += 1
  }
  const points = { labels, timestamps, values: numbers }
  return others === null ? points : { ...points, histograms: others }
}

/** Removes the names that functions have left to be removed. */
function finishNames(series: readonly GridSeries[]): readonly GridSeries[] {
  if (!series.some(({ dropName }) => dropName)) return series
  return mergeEqualLabels(
    series.map((one) =>
      one.dropName ? { ...one, labels: withoutMetadata(one.labels), dropName: false } : one,
    ),
  )
}
