/** The samples of one series that a range selector holds at one moment: `[from, to)` of its arrays, at least one. */
export interface RangeWindow {
  /** Epoch milliseconds, ascending. */
  times: Float64Array
  values: Float64Array
  from: number
  to: number
  /** The window's bounds: samples are in (startMs, endMs]. */
  startMs: number
  endMs: number
  /** The moment of evaluation, without offset. */
  atMs: number
  /** The function's scalar arguments at that moment. */
  parameters: readonly number[]
}

/** Gives one number for a window, or nothing. */
export type RangeFunction = (window: RangeWindow) => number | undefined
