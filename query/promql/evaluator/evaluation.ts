import { type Labels, labelsKey } from '../../../model/labels.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { Expr, VectorSelector } from '../ast.ts'
import { positionOf } from '../parse-error.ts'
import type { Series } from '../series-source.ts'
import type { Annotations } from './annotations.ts'
import { type Grid, type GridSeries, setHistogram } from './grid.ts'
import { withoutMetadata } from './metadata-labels.ts'
import type { ComputedGrid } from './use-grids.ts'

/** One run of a query: what every node's evaluation knows. */
export interface Evaluation {
  /** The query's text. */
  readonly text: string
  /** The whole query's grid: what `start()`, `end()`, `step()` and `range()` speak of. */
  readonly top: Grid
  readonly lookbackMs: number
  /** Resolution of subqueries that name none. */
  readonly defaultStepMs: number
  /**
   * Whether the metric's name is removed at the very end (Prometheus' feature `promql-delayed-name-removal`) instead of by each
   * function at once.
   */
  readonly isNameRemovalDelayed: boolean
  /** Whether samples' start times are looked at; range selectors have none otherwise. */
  readonly usesStartTimestamps: boolean
  /** The samples of every selector of the query. */
  readonly samples: ReadonlyMap<VectorSelector, readonly Series[]>
  /** What the source has computed by itself; below such a node there are no samples. */
  readonly computed: ReadonlyMap<Expr, ComputedGrid>
  readonly notes: Annotations
  /** Throws RESULT_TOO_LARGE when a node's answer has too many values. */
  readonly spend: (values: number) => void
  /** Gives way to others when it is their turn; throws CANCELLED when nobody waits for the answer. Undefined: there is nothing to wait for. */
  readonly breathe: () => Promise<void> | undefined
}

/** The error of a query that has no answer. */
export function executionError(message: string): AppError {
  return new AppError('QUERY_EXECUTION_FAILED', message)
}

/** The error of a part of the language that is not there yet. */
export function notSupported(run: Pick<Evaluation, 'text'>, name: string, at: Expr): AppError {
  const { line, column } = positionOf(run.text, at.range.start)
  return new AppError('QUERY_NOT_SUPPORTED', `not supported yet: ${name} at ${line}:${column}`, {
    details: { line, column },
  })
}

/** The labels and the mark of a series whose name a function takes away: at once, or at the end. */
export function withoutName(
  run: Pick<Evaluation, 'isNameRemovalDelayed'>,
  labels: Labels,
): Pick<GridSeries, 'labels' | 'dropName'> {
  return run.isNameRemovalDelayed
    ? { labels, dropName: true }
    : { labels: withoutMetadata(labels), dropName: false }
}

/**
 * Makes one series of those with equal labels. Throws QUERY_EXECUTION_FAILED when two of them are present at the same moment:
 * a vector cannot say two things of the same.
 */
export function mergeEqualLabels(series: readonly GridSeries[]): readonly GridSeries[] {
  const byLabels = new Map<string, GridSeries>()
  for (const one of series) {
    const key = labelsKey(one.labels)
    const before = byLabels.get(key)
    byLabels.set(key, before === undefined ? one : mergeTwo(before, one))
  }
  return byLabels.size === series.length ? series : [...byLabels.values()]
}

/**
 * Throws QUERY_EXECUTION_FAILED when two series have equal labels, also when they are never present at the same moment: so Prometheus treats
 * functions of range vectors.
 */
export function refuseEqualLabels(series: readonly GridSeries[]): void {
  const keys = new Set(series.map(({ labels }) => labelsKey(labels)))
  if (keys.size < series.length) {
    throw executionError('vector cannot contain metrics with the same labelset')
  }
}

function mergeTwo(a: GridSeries, b: GridSeries): GridSeries {
  const merged: GridSeries = {
    labels: a.labels,
    dropName: a.dropName || b.dropName,
    values: Float64Array.from(a.values),
    present: Uint8Array.from(a.present),
    histograms: a.histograms == null ? null : [...a.histograms],
  }
  for (let i = 0; i < merged.present.length; i += 1) {
    if (b.present[i] !== 1) continue
    if (merged.present[i] === 1) throw executionError('vector cannot contain metrics with the same labelset')
    merged.present[i] = 1
    merged.values[i] = b.values[i] as number
    const histogram = b.histograms?.[i]
    if (histogram != null) setHistogram(merged, i, histogram)
  }
  return merged
}
