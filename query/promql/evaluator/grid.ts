import type { FloatHistogram } from '../../../model/float-histogram.ts'
import type { Labels } from '../../../model/labels.ts'

/** The moments at which an expression is evaluated: `startMs`, `startMs + stepMs` …, `count` of them. An instant is a grid of one. */
export interface Grid {
  readonly startMs: number
  readonly stepMs: number
  readonly count: number
}

/** One series of an instant vector over a grid. */
export interface GridSeries {
  readonly labels: Labels
  /** The metric's name is to be removed at the end: a function has made something else of it. */
  readonly dropName: boolean
  /** One value per moment; it counts only where `present` is 1. */
  readonly values: Float64Array
  readonly present: Uint8Array
  /** Where there is one (and `present` is 1) the sample is that native histogram. Absent or null: only numbers. */
  histograms?: (FloatHistogram | null)[] | null
}

/** What an expression gives on a grid. */
export type GridValue =
  | { readonly type: 'scalar'; readonly values: Float64Array }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'vector'; readonly series: readonly GridSeries[] }

/** The grid of start, start + step … up to and including end. */
export function gridBetween(startMs: number, endMs: number, stepMs: number): Grid {
  return { startMs, stepMs, count: endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1 }
}

/** The i-th moment, epoch milliseconds. */
export function timeAt(grid: Grid, index: number): number {
  return grid.startMs + index * grid.stepMs
}

/** The last moment. */
export function endOf(grid: Grid): number {
  return timeAt(grid, grid.count - 1)
}

/** A series that is nowhere present yet. */
export function emptySeries(labels: Labels, dropName: boolean, grid: Grid): GridSeries {
  return {
    labels,
    dropName,
    values: new Float64Array(grid.count),
    present: new Uint8Array(grid.count),
    histograms: null,
  }
}

/** Makes the sample at a moment a native histogram. */
export function setHistogram(series: GridSeries, index: number, histogram: FloatHistogram): void {
  series.histograms ??= new Array<FloatHistogram | null>(series.present.length).fill(null)
  series.histograms[index] = histogram
  series.present[index] = 1
}

/** Whether a series has a value at any moment. */
export function isAnywhere(series: GridSeries): boolean {
  return series.present.includes(1)
}

/** The numbers of a series: where there was a native histogram there is nothing. */
export function withoutHistograms(series: GridSeries): GridSeries {
  const { histograms } = series
  if (histograms == null) return series
  const present = series.present.map((is, i) => (histograms[i] === null ? is : 0))
  return { ...series, present, histograms: null }
}
