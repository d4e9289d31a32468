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
  /** The sum of all values before the first row; null: there are none. */
  readonly base: number | null
  /** Rows beyond it only tell whether the series has begun, epoch milliseconds. */
  readonly untilMs: number
}

/** A first difference that counts from longer ago than that begins no series: so it is enough to look so far ahead, milliseconds. */
export const MAX_START_AGE_MS = 600_000

/**
 * A cumulative series out of differences: at each time the sum of all values up to it, whoever sent them. Values of one stored series at the same
 * nanosecond are one value sent again. When nothing came before, the series begins with 0 where the first value began to count, if that is told
 * and lies not more than {@link MAX_START_AGE_MS} before it: so that the first value is an increase, too.
 */
export function accumulateDeltas(parts: readonly DeltaRows[]): SampleRows {
  const baseMs = parts[0]?.baseMs ?? 0
  const rows = parts.flatMap(distinctRows).sort((a, b) => a.nanos - b.nanos)
  const hasPast = parts.some(({ base }) => base !== null)
  let sum = 0
  for (const { base } of parts) sum += base ?? 0

  const times: number[] = []
  const values: number[] = []
  const stale: number[] = []
  const starts: number[] = []
  const [first] = rows
  const firstStartMs = first === undefined || hasPast ? 0 : first.startMs
  const untilMs = parts[0]?.untilMs ?? 0
  if (first !== undefined && firstStartMs > baseMs && firstStartMs <= untilMs && isNear(first, baseMs)) {
    times.push(firstStartMs - baseMs)
    values.push(0)
    stale.push(0)
    starts.push(firstStartMs)
  }
  for (const row of rows) {
    if (Math.floor(row.nanos / 1e6) > untilMs - baseMs) break
    if (row.isStale) stale.push(1)
    else {
      sum += row.value
      stale.push(0)
    }
    times.push(Math.floor(row.nanos / 1e6))
    values.push(sum)
    starts.push(firstStartMs)
    // Of several values in one millisecond the sum of all is what counts there.
    const last = times.length - 1
    if (last > 0 && times[last] === times[last - 1]) {
      for (const list of [times, values, stale, starts]) list.splice(last - (row.isStale ? 0 : 1), 1)
    }
  }
  return { baseMs, times, values, stale: stale.includes(1) ? stale : null, starts }
}

/** Whether a row's start is close enough before it to be a sample. */
function isNear({ startMs, nanos }: DeltaRow, baseMs: number): boolean {
  const ageMs = baseMs + nanos / 1e6 - startMs
  return ageMs > 0 && ageMs <= MAX_START_AGE_MS
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
