import { beginOfDeltaDay, deltaDay } from './delta-day.ts'
import type { SampleRows } from './samples.ts'

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

function inOrder(parts: readonly DeltaRows[]): OrderedRows {
  const filled = parts.filter(({ nanos }) => nanos.length > 0)
  const [only] = filled
  if (filled.length === 1 && only !== undefined && isAscending(only.nanos)) return only
  const rows = filled.flatMap(distinctRows).sort((a, b) => a.nanos - b.nanos)
  return {
    nanos: rows.map(({ nanos }) => nanos),
    values: rows.map(({ value }) => value),
    stale: rows.map(({ isStale }) => (isStale ? 1 : 0)),
    starts: rows.map(({ startMs }) => startMs),
  }
}

/** Whether there are no two rows at the same time, and each is later than the one before. */
function isAscending(nanos: ArrayLike<number>): boolean {
  for (let i = 1; i < nanos.length; i += 1) {
    if ((nanos[i] as number) <= (nanos[i - 1] as number)) return false
  }
  return true
}

interface DeltaRow {
  readonly nanos: number
  readonly value: number
  readonly isStale: boolean
  readonly startMs: number
}

function distinctRows({ nanos, values, stale, starts }: DeltaRows): DeltaRow[] {
  const byTime = new Map<number, DeltaRow>()
  for (let i = 0; i < nanos.length; i += 1) {
    const row = {
      nanos: nanos[i] as number,
      value: values[i] as number,
      isStale: stale?.[i] === 1,
      startMs: starts[i] as number,
    }
    const before = byTime.get(row.nanos)
    if (before === undefined || before.isStale || (!row.isStale && row.value > before.value)) {
      byTime.set(row.nanos, row)
    }
  }
  return [...byTime.values()]
}
