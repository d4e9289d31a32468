import type { Labels } from '../../model/labels.ts'
import type { Series } from '../promql/series-source.ts'
import { ascendingOrder } from './ascending-order.ts'

/** Samples of one series as rows give them: arrays of equal length, in any order of time. */
export interface SampleRows {
  /** Milliseconds after `baseMs`. */
  readonly times: ArrayLike<number>
  readonly baseMs: number
  readonly values: ArrayLike<number>
  /** 1 where the sample only says that the series has ended; null: nowhere. */
  readonly stale: ArrayLike<number> | null
  /** When the counter began to count, epoch milliseconds; 0: not known. Null: not asked for. */
  readonly starts: ArrayLike<number> | null
}

/**
 * Makes a series of rows of samples. Of several at one time the one with the greatest value counts: a number beats NaN, and anything beats the
 * mark that a series has ended.
 */
export function toSeries(labels: Labels, rows: SampleRows): Series {
  const { times, baseMs, values, stale, starts } = rows
  const order = chosenRows(rows)
  const count = order === null ? times.length : order.length
  const made = {
    timestamps: new Float64Array(count),
    values: new Float64Array(count),
    starts: starts === null ? null : new Float64Array(count),
  }
  const staleMade = stale === null ? null : new Uint8Array(count)
  let hasStale = false
  let hasStart = false
  for (let i = 0; i < count; i += 1) {
    const row = order === null ? i : (order[i] as number)
    made.timestamps[i] = (times[row] as number) + baseMs
    made.values[i] = values[row] as number
    if (staleMade !== null && stale?.[row] === 1) {
      staleMade[i] = 1
      hasStale = true
    }
    if (made.starts !== null) {
      const startMs = starts?.[row] as number
      made.starts[i] = startMs
      if (startMs !== 0) hasStart = true
    }
  }
  return {
    labels,
    timestamps: made.timestamps,
    values: made.values,
    stale: hasStale ? staleMade : null,
    ...(hasStart ? { starts: made.starts } : {}),
  }
}

/** The rows that count, by ascending time; null: all, as they are. */
export function chosenRows({
  times,
  values,
  stale,
}: Pick<SampleRows, 'times' | 'values' | 'stale'>): Uint32Array | null {
  const order = ascendingOrder(times)
  if (order === null) return null
  const isBetter = (row: number, than: number): boolean => {
    if ((stale?.[row] === 1) !== (stale?.[than] === 1)) return stale?.[than] === 1
    const value = values[row] as number
    return value > (values[than] as number) || (!Number.isNaN(value) && Number.isNaN(values[than]))
  }
  let count = 0
  for (const row of order) {
    const before = order[count - 1]
    if (before === undefined || times[before] !== times[row]) order[count++] = row
    else if (isBetter(row, before)) order[count - 1] = row
  }
  return order.subarray(0, count)
}
