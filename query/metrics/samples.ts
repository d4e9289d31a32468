import type { Labels } from '../../model/labels.ts'
import type { Series } from '../promql/series-source.ts'

/** A number as a row of ours has it: ClickHouse writes NaN and infinities as text. */
export type StoredNumber = number | string

/** The number that a row means. */
export function storedNumber(value: StoredNumber): number {
  if (typeof value === 'number') return value
  if (value === 'inf') return Number.POSITIVE_INFINITY
  if (value === '-inf') return Number.NEGATIVE_INFINITY
  return Number(value)
}

/** The order in which rows are to be read so that their times ascend; of equal times the last only. Null: as they are. */
export function ascendingOrder(times: readonly number[]): number[] | null {
  let isAscending = true
  for (let i = 1; i < times.length && isAscending; i += 1) {
    isAscending = (times[i - 1] as number) < (times[i] as number)
  }
  if (isAscending) return null
  const order = times
    .map((_, index) => index)
    .sort((a, b) => (times[a] as number) - (times[b] as number) || a - b)
  return order.filter((index, i) => times[index] !== times[order[i + 1] ?? -1])
}

/**
 * Makes a series of rows of samples: `times` are milliseconds after `baseMs`. Differences from one sample to the next (`isDelta`) become a
 * running sum that begins at 0 before the first row.
 */
export function toSeries(
  labels: Labels,
  rows: {
    readonly baseMs: number
    readonly times: readonly number[]
    readonly values: readonly number[]
    readonly stale: readonly number[]
    readonly order: readonly number[] | null
    readonly isDelta: boolean
  },
): Series {
  const { baseMs, order, isDelta } = rows
  const take = (list: readonly number[]) =>
    Float64Array.from(order === null ? list : order.map((index) => list[index] as number))
  const timestamps = take(rows.times).map((time) => time + baseMs)
  const values = take(rows.values)
  const stale = rows.stale.includes(1) ? Uint8Array.from(take(rows.stale)) : null
  if (isDelta) {
    let sum = 0
    for (let i = 0; i < values.length; i += 1) {
      if (stale?.[i] !== 1) sum += values[i] as number
      values[i] = sum
    }
  }
  return { labels, timestamps, values, stale }
}
