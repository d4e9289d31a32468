import type { NumberArray } from '../../storage/column-block.ts'

/** Times and values of one series, times ascending, no two equal. */
export interface OrderedSamples {
  readonly timestamps: Float64Array
  readonly values: Float64Array
}

/** Parts of a table that one series' samples may come from before it is cheaper to sort them. */
const MOST_RUNS = 64

/** Milliseconds after `baseMs` as epoch milliseconds. Null: not numbers that this is made for. */
export function absoluteTimes(times: NumberArray, baseMs: number): Float64Array | null {
  if (!(times instanceof Uint32Array || times instanceof Float64Array)) return null
  const timestamps = new Float64Array(times.length)
  for (let i = 0; i < timestamps.length; i += 1) timestamps[i] = (times[i] as number) + baseMs
  return timestamps
}

/**
 * The samples in [from, to) in the order of time: views of what is given where they are in order, else a copy into which stretches that are in
 * order are merged. Null: two times are equal, so that one of the samples must be chosen, or the stretches are many.
 */
export function orderedSamples(
  timestamps: Float64Array,
  values: Float64Array,
  from: number,
  to: number,
): OrderedSamples | null {
  const starts = [from]
  for (let at = from + 1; at < to; at += 1) {
    if ((timestamps[at - 1] as number) < (timestamps[at] as number)) continue
    if (starts.push(at) > MOST_RUNS) return null
  }
  let runs: OrderedSamples[] = starts.map((start, i) => ({
    timestamps: timestamps.subarray(start, starts[i + 1] ?? to),
    values: values.subarray(start, starts[i + 1] ?? to),
  }))
  while (runs.length > 1) {
    const merged: OrderedSamples[] = []
    for (let i = 0; i < runs.length; i += 2) {
      const [left, right] = [runs[i], runs[i + 1]]
      if (left === undefined) continue
      const both = right === undefined ? left : merge(left, right)
      if (both === null) return null
      merged.push(both)
    }
    runs = merged
  }
  return runs[0] ?? null
}

/** Threads and parts give long stretches by turns, so these are copied as a whole. */
function merge(left: OrderedSamples, right: OrderedSamples): OrderedSamples | null {
  const count = left.timestamps.length + right.timestamps.length
  const made = { timestamps: new Float64Array(count), values: new Float64Array(count) }
  let [one, other] = [left, right]
  let [at, otherAt] = [0, 0]
  for (let filled = 0; filled < count; ) {
    const until = other.timestamps[otherAt] ?? Number.POSITIVE_INFINITY
    const end = firstNotBefore(one.timestamps, at, until)
    if (one.timestamps[end] === until) return null
    made.timestamps.set(one.timestamps.subarray(at, end), filled)
    made.values.set(one.values.subarray(at, end), filled)
    filled += end - at
    ;[one, other, at, otherAt] = [other, one, otherAt, end]
  }
  return made
}

/** Index of the first time from `from` on that is not before `time`. */
function firstNotBefore(times: Float64Array, from: number, time: number): number {
  let low = from
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] as number) < time) low = middle + 1
    else high = middle
  }
  return low
}
