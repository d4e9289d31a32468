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
  const rows = inOrder(parts)
  const hasPast = parts.some(({ base }) => base !== null)
  let sum = 0
  for (const { base } of parts) sum += base ?? 0

  const count = rows.nanos.length
  const times = new Float64Array(count + 1)
  const values = new Float64Array(count + 1)
  const stale = new Uint8Array(count + 1)
  let length = 0
  const firstStartMs = count === 0 || hasPast ? 0 : (rows.starts[0] as number)
  const untilMs = parts[0]?.untilMs ?? 0
  if (firstStartMs > baseMs && firstStartMs <= untilMs && isNear(firstStartMs, rows, baseMs)) {
    times[0] = firstStartMs - baseMs
    length = 1
  }
  for (let i = 0; i < count; i += 1) {
    const time = Math.floor((rows.nanos[i] as number) / 1e6)
    if (time > untilMs - baseMs) break
    const isStale = rows.stale?.[i] === 1
    if (!isStale) sum += rows.values[i] as number
    // Of several values in one millisecond the sum of all is what counts there.
    const isSame = length > 0 && times[length - 1] === time
    if (isSame && isStale) continue
    if (!isSame) length += 1
    times[length - 1] = time
    values[length - 1] = sum
    stale[length - 1] = isStale ? 1 : 0
  }
  const made = stale.subarray(0, length)
  return {
    baseMs,
    times: times.subarray(0, length),
    values: values.subarray(0, length),
    stale: made.includes(1) ? made : null,
    starts: new Float64Array(length).fill(firstStartMs),
  }
}

/** Whether a start is close enough before the first row to be a sample. */
function isNear(startMs: number, { nanos }: OrderedRows, baseMs: number): boolean {
  const ageMs = baseMs + (nanos[0] as number) / 1e6 - startMs
  return ageMs > 0 && ageMs <= MAX_START_AGE_MS
}

/** Rows by ascending time. */
type OrderedRows = Pick<DeltaRows, 'nanos' | 'values' | 'stale' | 'starts'>

function inOrder(parts: readonly DeltaRows[]): OrderedRows {
  const [only] = parts
  if (parts.length === 1 && only !== undefined && isAscending(only.nanos)) return only
  const rows = parts.flatMap(distinctRows).sort((a, b) => a.nanos - b.nanos)
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
