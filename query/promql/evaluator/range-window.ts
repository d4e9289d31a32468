import type { Labels } from '../../../model/labels.ts'
import type { Expr } from '../ast.ts'
import type { HistogramList } from '../histogram-list.ts'
import type { Annotations } from './annotations.ts'
import type { GridSeries } from './grid.ts'

/** Which samples each moment's window holds: `[from[i], to[i])`; empty where both are equal. */
export interface WindowBounds {
  readonly from: Int32Array
  readonly to: Int32Array
}

/** The numbers of one series, by time, and which of them each window holds. */
export interface FloatWindows extends WindowBounds {
  /** Epoch milliseconds, ascending. */
  readonly times: Float64Array
  readonly values: Float64Array
  /** When the counter behind each sample began to count, epoch milliseconds; 0: not known. Null: not known of any. */
  readonly starts: Float64Array | null
}

/** The native histograms of one series, by time, and which of them each window holds. */
export interface HistogramWindows extends WindowBounds {
  readonly times: Float64Array
  /** Each place has one. */
  readonly histograms: HistogramList
  readonly starts: Float64Array | null
}

/** What a range selector holds of one series, at every moment of a grid. */
export interface RangeWindows {
  /** The series' labels, with its name. */
  readonly labels: Labels
  readonly floats: FloatWindows
  /** Null: the series has no native histograms. */
  readonly histograms: HistogramWindows | null
  /** Where each moment's window ends, `@` and `offset` applied: samples are in (end - rangeMs, end]. */
  readonly ends: Float64Array
  readonly rangeMs: number
  /** Of an extended range: windows begin the lookback earlier, and smoothed ones end the lookback later. */
  readonly bounds: '' | 'anchored' | 'smoothed'
  /** The moments of evaluation themselves. */
  readonly moments: Float64Array
  /** The function's scalar arguments, each with one value per moment. */
  readonly parameters: readonly Float64Array[]
  readonly notes: Annotations
  /** Where in the query the range is: the place of what is noted. */
  readonly at: Expr
}

/** Computes a function of a range at every moment; leaves out those at which it gives nothing. */
export type RangeFunction = (windows: RangeWindows, result: GridSeries) => void

/** What a function of a range vector does. */
export interface RangeFunctions {
  /** On series without native histograms, and on the numbers of those that have both when there is no `mixed`. */
  readonly floats: RangeFunction
  /** On series with native histograms. Absent: these are ignored, which is noted where there are numbers, too. */
  readonly mixed?: RangeFunction
}
