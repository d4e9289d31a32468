import { ascendingOrder } from './ascending-order.ts'
import { beginOfDeltaDay, deltaDay } from './delta-day.ts'
import { chosenRows, type SampleRows } from './samples.ts'

/** Differences of one stored series, in any order of time. */
export interface DeltaRows {
  /** Nanoseconds after `baseMs`. */
  readonly nanos: ArrayLike<number>
  readonly baseMs: number
  readonly values: ArrayLike<number>
  readonly stale: ArrayLike<number> | null
  /** When what each value counts began, epoch milliseconds; 0: not known. */
  readonly starts: ArrayLike<number>
  /** The sum of all values of the day (see {@link deltaDay}) that `baseMs` lies in, up to it; null: there are none. */
  readonly base: number | null
  /** The sum never begins anew: that of differences that go up and down; `base` is then that of all before. */
  readonly isEndless: boolean
  /** Rows beyond it only tell whether the series has begun, epoch milliseconds. */
  readonly untilMs: number
}

/** What a series adds to its sums that has differences before a range only: others may have the same labels. */
export function onlyBase(
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  base: number,
  isEndless: boolean,
): DeltaRows {
  return { baseMs: fromMs, untilMs: toMs, nanos: [], values: [], starts: [], stale: null, base, isEndless }
}

/** A first difference that counts from longer ago than that tells no begin of the count: so it is enough to look so far ahead, milliseconds. */
export const MAX_START_AGE_MS = 600_000

/**
 * A cumulative series out of differences: at each time the sum of all values since midnight UTC up to it, whoever sent them. So what it says does not depend on where
 * a read begins, and no read has to add up more than a day. Values of one stored series at the same nanosecond are one value sent again. Before the first value of
 * a day stands a 0, so that this one is an increase, too: where it began to count, if that is told and lies not more than {@link MAX_START_AGE_MS} before
 * it, else a millisecond before it.
 */
export function accumulateDeltas(parts: readonly DeltaRows[]): SampleRows {
  const { baseMs = 0, untilMs = 0, isEndless = false } = parts[0] ?? {}
  const dayOf = isEndless ? () => 0 : deltaDay
  const rows = inOrder(parts)
  const made = createSamples(rows.nanos.length)
  let day = dayOf(baseMs + 1)
  let hasBegun = parts.some(({ base }) => base !== null)
  let sum = 0
  for (const { base } of parts) sum += base ?? 0
  let startMs = 0
  for (let i = 0; i < rows.nanos.length; i += 1) {
    const timeMs = baseMs + Math.floor((rows.nanos[i] as number) / 1e6)
    const isStale = rows.stale?.[i] === 1
    const ownDay = dayOf(timeMs)
    if (ownDay !== day) {
      day = ownDay
      hasBegun = false
      sum = 0
      startMs = 0
    }
    if (!hasBegun && !isStale) {
      hasBegun = true
      const zeroMs = zeroBefore(timeMs, rows.starts[i] as number, day)
      startMs = (rows.starts[i] as number) === 0 ? 0 : zeroMs
      if (zeroMs > baseMs && zeroMs <= untilMs && zeroMs < timeMs)
        made.put(zeroMs - baseMs, 0, false, startMs)
    }
    if (timeMs > untilMs) break
    if (!isStale) sum += rows.values[i] as number
    made.put(timeMs - baseMs, sum, isStale, startMs)
  }
  return { baseMs, ...made.finish() }
}

/** When the count of a day begins whose first value stands at a time. */
function zeroBefore(timeMs: number, startMs: number, day: number): number {
  const ageMs = timeMs - startMs
  const isNear = ageMs > 0 && ageMs <= MAX_START_AGE_MS
  return Math.max(isNear ? startMs : timeMs - 1, beginOfDeltaDay(day) + 1)
}

/** Samples in order, room for two of each row. */
function createSamples(rows: number) {
  const times = new Float64Array(2 * rows)
  const values = new Float64Array(2 * rows)
  const stale = new Uint8Array(2 * rows)
  const starts = new Float64Array(2 * rows)
  let length = 0
  return {
    put(time: number, value: number, isStale: boolean, startMs: number): void {
      // Of several values in one millisecond the sum of all is what counts there.
      const isSame = length > 0 && times[length - 1] === time
      if (isSame && isStale) return
      if (!isSame) length += 1
      times[length - 1] = time
      values[length - 1] = value
      stale[length - 1] = isStale ? 1 : 0
      starts[length - 1] = startMs
    },
    finish(): Omit<SampleRows, 'baseMs'> {
      const marks = stale.subarray(0, length)
      return {
        times: times.subarray(0, length),
        values: values.subarray(0, length),
        stale: marks.includes(1) ? marks : null,
        starts: starts.subarray(0, length),
      }
    },
  }
}

/** Rows by ascending time. */
type OrderedRows = Pick<DeltaRows, 'nanos' | 'values' | 'stale' | 'starts'>

/** Of several values of one part at the same nanosecond one counts; those of others do, too. */
function inOrder(parts: readonly DeltaRows[]): OrderedRows {
  const distinct = parts.map((part) => picked(part, chosenRows({ ...part, times: part.nanos })))
  const [only] = distinct
  if (distinct.length === 1 && only !== undefined) return only
  const join = (list: (rows: OrderedRows) => ArrayLike<number>) =>
    distinct.flatMap((rows) => Array.from(list(rows)))
  const nanos = join((rows) => rows.nanos)
  const all = {
    nanos,
    values: join(({ values }) => values),
    stale: join((rows) => rows.stale ?? new Uint8Array(rows.nanos.length)),
    starts: join(({ starts }) => starts),
  }
  return picked(all, ascendingOrder(nanos))
}

/** Some of the rows, in this order; null: all, as they are. */
function picked(rows: OrderedRows, order: Uint32Array | null): OrderedRows {
  if (order === null) return rows
  const pick = (list: ArrayLike<number>) => Array.from(order, (row) => list[row] as number)
  return {
    nanos: pick(rows.nanos),
    values: pick(rows.values),
    stale: rows.stale === null ? null : pick(rows.stale),
    starts: pick(rows.starts),
  }
}
