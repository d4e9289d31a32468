import type { FloatHistogram } from '../../model/float-histogram.ts'
import type { Series } from '../promql/series-source.ts'
import { ascendingOrder } from './ascending-order.ts'
import { type HistogramSamples, knownStarts } from './histogram-samples.ts'

/**
 * A series with histograms put among its numbers. A histogram takes the place of what else there is at its time; of several histograms the one
 * of the most observations counts.
 */
export function mergeHistograms(numbers: Series, parts: readonly HistogramSamples[]): Series {
  const rows = rowsOf(numbers, parts)
  const chosen = chosenRows(rows)
  const count = chosen.length
  const made = {
    timestamps: new Float64Array(count),
    values: new Float64Array(count),
    stale: new Uint8Array(count),
    starts: new Float64Array(count),
  }
  let size = 0
  for (let i = 0; i < count; i += 1) {
    const row = chosen[i] as number
    const part = rows.partOf(row)
    const place = rows.placeOf(row)
    made.timestamps[i] = rows.times[row] as number
    if (part === null) {
      made.values[i] = numbers.values[place] as number
      made.stale[i] = numbers.stale?.[place] ?? 0
      made.starts[i] = numbers.starts?.[place] ?? 0
    } else {
      made.starts[i] = part.starts?.[place] ?? 0
      size += part.sizeAt(place)
    }
  }
  return {
    labels: numbers.labels,
    timestamps: made.timestamps,
    values: made.values,
    stale: made.stale.includes(1) ? made.stale : null,
    histograms: {
      length: count,
      has: (i) => rows.partOf(chosen[i] as number) !== null,
      at: (i) => rows.histogramAt(chosen[i] as number),
      size,
    },
    starts: knownStarts(made.starts),
  }
}

/** The samples of all parts one after the other, and the numbers behind them. */
interface Rows {
  readonly times: Float64Array
  /** The part that a row is of; null: it is a number. */
  partOf(row: number): HistogramSamples | null
  /** Where a row is in its part, or among the numbers. */
  placeOf(row: number): number
  histogramAt(row: number): FloatHistogram
}

function rowsOf(numbers: Series, parts: readonly HistogramSamples[]): Rows {
  const firsts: number[] = []
  let count = 0
  for (const { times } of parts) {
    firsts.push(count)
    count += times.length
  }
  firsts.push(count)
  const times = new Float64Array(count + numbers.timestamps.length)
  for (const [index, part] of parts.entries()) times.set(part.times, firsts[index])
  times.set(numbers.timestamps, count)
  // There are few.
  const indexOf = (row: number): number => {
    let index = parts.length
    while (index > 0 && (firsts[index] as number) > row) index -= 1
    return index
  }
  const partOf = (row: number) => parts[indexOf(row)] ?? null
  const placeOf = (row: number) => row - (firsts[indexOf(row)] as number)
  const histogramAt = (row: number) => (parts[indexOf(row)] as HistogramSamples).at(placeOf(row))
  return { times, partOf, placeOf, histogramAt }
}

/** The rows that count, by ascending time. */
function chosenRows(rows: Rows): Uint32Array {
  const { times } = rows
  const order = ascendingOrder(times)
  if (order === null) return Uint32Array.from(times, (_, row) => row)
  let count = 0
  for (const row of order) {
    const before = order[count - 1]
    if (before === undefined || times[before] !== times[row]) order[count++] = row
    else if (isBetter(rows, row, before)) order[count - 1] = row
  }
  return order.subarray(0, count)
}

function isBetter(rows: Rows, row: number, than: number): boolean {
  if (rows.partOf(row) === null) return false
  return rows.partOf(than) === null || isGreater(rows.histogramAt(row), rows.histogramAt(than))
}

function isGreater(a: FloatHistogram, b: FloatHistogram): boolean {
  if (a.count !== b.count) return a.count > b.count || Number.isNaN(b.count)
  return a.sum > b.sum || (Number.isNaN(b.sum) && !Number.isNaN(a.sum))
}
