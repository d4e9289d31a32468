import { NO_LABELS } from '../../model/labels.ts'
import { AppError } from '../../runtime/errors.ts'
import { freeNow } from '../../runtime/free-now.ts'
import type { NumberArray } from '../../storage/column-block.ts'
import type { Series } from '../promql/series-source.ts'
import { toSeries } from './samples.ts'
import { STALE_NAN_BITS } from './stale-nan.ts'

/** The samples of one series, by ascending time. */
export type SeriesSamples = Pick<Series, 'timestamps' | 'values' | 'stale' | 'starts'>

/** The samples of many series. */
export interface OrderedStretches {
  /** The samples of the series that stand from one place up to another. Each place is to be asked for once. */
  stretch(from: number, to: number): SeriesSamples
  /** Frees the memory of all that was given. */
  free(): void
}

/**
 * Puts the samples of series in order that stand one after the other in an answer's columns, each series' in any order of time. `times` are
 * milliseconds after `baseMs`; a value with the bits of Prometheus' mark says that the series has ended. Takes `values` over: they are put in order
 * where they stand, and what is given are views of them. `starts`: when counters began, see `SampleRows`. Throws AppError INTERNAL for columns of other types.
 */
export function orderStretches(
  times: NumberArray,
  values: NumberArray,
  baseMs: number,
  starts: NumberArray | null = null,
): OrderedStretches {
  if (
    !(values instanceof Float64Array) ||
    times instanceof BigInt64Array ||
    times instanceof BigUint64Array
  ) {
    throw new AppError('INTERNAL', 'Cannot read samples: their columns are of other types')
  }
  if (starts instanceof BigInt64Array || starts instanceof BigUint64Array) {
    throw new AppError('INTERNAL', 'Cannot read samples: their starts are of another type')
  }
  const timestamps = new Float64Array(times.length)
  timestamps.set(times)
  const halves = new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
  const stretch = (from: number, to: number): SeriesSamples => {
    const runs = absoluteTimes(timestamps, baseMs, from, to)
    const hasMarks = includesMark(values, halves, from, to)
    const own = new Float64Array(timestamps.buffer, from * 8, to - from)
    const ownValues = new Float64Array(values.buffer, values.byteOffset + from * 8, to - from)
    const isPlain = !hasMarks && starts === null
    if (isPlain && (runs === 1 || joinRuns(own, ownValues, runs))) {
      return { timestamps: own, values: ownValues, stale: null }
    }
    return toSeries(NO_LABELS, {
      times: own,
      baseMs: 0,
      values: ownValues,
      stale: hasMarks ? marksOf(halves, from, to) : null,
      starts: starts?.subarray(from, to) ?? null,
    })
  }
  return {
    stretch,
    free() {
      freeNow(timestamps)
      freeNow(values)
    },
  }
}

/** More are sorted in another way. */
const MOST_RUNS = 64
/** Taken by one series after the other: where its stretches begin, their order, and its samples as they were. */
const scratch = { begins: new Uint32Array(64), order: new Uint32Array(64), samples: new Float64Array(1024) }

/** Adds the base to times, and counts the stretches of ascending ones; where they begin stands in the scratch. */
function absoluteTimes(timestamps: Float64Array, baseMs: number, from: number, to: number): number {
  let runs = 1
  scratch.begins[0] = 0
  let before = Number.NEGATIVE_INFINITY
  for (let i = from; i < to; i += 1) {
    const time = (timestamps[i] as number) + baseMs
    timestamps[i] = time
    if (time <= before) {
      if (runs + 1 >= scratch.begins.length) growRuns()
      scratch.begins[runs] = i - from
      runs += 1
    }
    before = time
  }
  scratch.begins[runs] = to - from
  return runs
}

function growRuns(): void {
  const begins = new Uint32Array(4 * scratch.begins.length)
  begins.set(scratch.begins)
  scratch.begins = begins
  scratch.order = new Uint32Array(begins.length)
}

function includesMark(values: Float64Array, halves: Uint32Array, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) {
    const value = values[i] as number
    // Only NaN differs from itself; `Number.isNaN` would be a call for each sample.
    // biome-ignore lint/suspicious/noSelfCompare: see above
    if (value !== value && isMark(halves, i)) return true
  }
  return false
}

function marksOf(halves: Uint32Array, from: number, to: number): Uint8Array {
  const marks = new Uint8Array(to - from)
  for (let i = from; i < to; i += 1) marks[i - from] = isMark(halves, i) ? 1 : 0
  return marks
}

function isMark(halves: Uint32Array, index: number): boolean {
  return halves[2 * index] === STALE_NAN_BITS[0] && halves[2 * index + 1] === STALE_NAN_BITS[1]
}

/**
 * Puts the stretches of the scratch one behind the other, as parts of a table give the hours of a series; false, and nothing done, when they
 * overlap or are many.
 */
function joinRuns(times: Float64Array, values: Float64Array, runs: number): boolean {
  if (runs > MOST_RUNS) return false
  const { begins, order } = scratch
  for (let run = 0; run < runs; run += 1) {
    const time = times[begins[run] as number] as number
    let at = run
    // They are few, and mostly in order.
    for (; at > 0 && (times[begins[order[at - 1] as number] as number] as number) > time; at -= 1) {
      order[at] = order[at - 1] as number
    }
    order[at] = run
  }
  for (let place = 1; place < runs; place += 1) {
    const lastBefore = (begins[(order[place - 1] as number) + 1] as number) - 1
    if ((times[lastBefore] as number) >= (times[begins[order[place] as number] as number] as number))
      return false
  }
  reorder(times, runs)
  reorder(values, runs)
  return true
}

function reorder(numbers: Float64Array, runs: number): void {
  const { begins, order } = scratch
  const count = numbers.length
  if (scratch.samples.length < count) scratch.samples = new Float64Array(2 * count)
  const { samples } = scratch
  for (let i = 0; i < count; i += 1) samples[i] = numbers[i] as number
  let at = 0
  for (let place = 0; place < runs; place += 1) {
    const run = order[place] as number
    const end = begins[run + 1] as number
    for (let i = begins[run] as number; i < end; i += 1) numbers[at++] = samples[i] as number
  }
}
