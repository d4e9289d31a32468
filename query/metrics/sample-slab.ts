import { firstAfter } from '../../model/first-after.ts'
import type { SeriesSamples } from './order-stretches.ts'

/** The samples of many series, by id, with room behind each for those to come. What was given stays as it is when more is added. */
export interface SampleSlab {
  /** Samples that memory was taken for. It is given back with the slab: what is replaced takes up room until then. */
  readonly capacity: number
  /** No sample is later. */
  readonly latestMs: number
  /** The samples of a series in (fromMs, toMs]; null: none. */
  get(id: string, fromMs: number, toMs: number): SeriesSamples | null
  /** Makes `samples` all that a series has after `afterMs`; before that it stays as it is. */
  replaceAfter(id: string, afterMs: number, samples: SeriesSamples): void
  /** The same for one number; false, and nothing done, where it is not simply the next one of the series. */
  append(id: string, afterMs: number, timeMs: number, value: number): boolean
  /**
   * The same for one number of each of many series: `ids` are 16 bytes each, `times` milliseconds after `afterMs`. The same series in the same order as
   * the last time are found by their places. Gives the rows that could not be taken; null, and nothing done, where two rows next to each other are of
   * one series.
   */
  appendRows(
    ids: Uint8Array,
    afterMs: number,
    times: ArrayLike<number>,
    values: ArrayLike<number>,
  ): number[] | null
  /** A new slab with the samples in (fromMs, toMs], made for samples up to `untilMs`. */
  copy(fromMs: number, toMs: number, untilMs: number): SampleSlab
  /** Takes the samples after `afterMs` from every series whose id is not among those. */
  cutOthers(ids: ReadonlySet<string>, afterMs: number): void
}

interface Held {
  times: Float64Array
  values: Float64Array
  /** 1 where the series has ended; null: nowhere. As long as there is room. */
  stale: Uint8Array | null
  length: number
}

/** An empty slab; there is room for as many samples of a series as it is likely to have up to `untilMs`. */
export function createSampleSlab(untilMs: number): SampleSlab {
  const byId = new Map<string, Held>()
  let capacity = 0
  let latestMs = Number.NEGATIVE_INFINITY
  /** The series of the last rows, by their places; null: something has been put elsewhere since. */
  let lastRows: { readonly ids: Uint8Array; readonly held: readonly (Held | undefined)[] } | null = null
  let chunk = { times: new Float64Array(0), values: new Float64Array(0), used: 0 }

  /** Memory for so many samples, a part of a large piece: small ones are dear to make. */
  const take = (size: number) => {
    capacity += size
    if (chunk.used + size > chunk.times.length) {
      const length = Math.max(CHUNK, size)
      chunk = { times: new Float64Array(length), values: new Float64Array(length), used: 0 }
    }
    const { times, values, used } = chunk
    chunk.used += size
    return { times: times.subarray(used, used + size), values: values.subarray(used, used + size) }
  }

  const hold = (id: string, kept: Held | undefined, keep: number, samples: SeriesSamples) => {
    const count = samples.timestamps.length
    const size = keep + count + roomBehind(untilMs, kept, keep, samples)
    const held: Held = {
      ...take(size),
      stale: kept?.stale != null || samples.stale !== null ? new Uint8Array(size) : null,
      length: keep + count,
    }
    if (kept !== undefined) {
      held.times.set(kept.times.subarray(0, keep))
      held.values.set(kept.values.subarray(0, keep))
      if (kept.stale !== null) held.stale?.set(kept.stale.subarray(0, keep))
    }
    write(held, keep, samples)
    byId.set(id, held)
    lastRows = null
  }

  const appendTo = (held: Held | undefined, afterMs: number, timeMs: number, value: number): boolean => {
    if (held === undefined || held.length === held.times.length || held.stale !== null) return false
    const { times, values, length } = held
    if ((times[length - 1] as number) > afterMs) return false
    times[length] = timeMs
    values[length] = value
    held.length += 1
    if (timeMs > latestMs) latestMs = timeMs
    return true
  }

  /** What is held of the series of rows; null: some are of the same series. */
  const find = (ids: Uint8Array): readonly (Held | undefined)[] | null => {
    const bytes = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength)
    if (lastRows !== null && bytes.equals(lastRows.ids)) return lastRows.held
    const count = ids.length / ID_BYTES
    for (let row = 1; row < count; row += 1) if (isSameId(ids, row - 1, row)) return null
    const held = Array.from({ length: count }, (_, row) => byId.get(idAt(ids, row)))
    lastRows = { ids, held }
    return held
  }

  return {
    get capacity() {
      return capacity
    },
    get latestMs() {
      return latestMs
    },
    get(id, fromMs, toMs) {
      const held = byId.get(id)
      if (held === undefined) return null
      const times = held.times.subarray(0, held.length)
      const from = firstAfter(times, fromMs)
      const to = firstAfter(times, toMs)
      if (from === to) return null
      const stale = held.stale?.subarray(from, to) ?? null
      return {
        timestamps: times.subarray(from, to),
        values: held.values.subarray(from, to),
        stale: stale?.includes(1) === true ? stale : null,
      }
    },
    replaceAfter(id, afterMs, samples) {
      latestMs = Math.max(latestMs, samples.timestamps.at(-1) ?? latestMs)
      const held = byId.get(id)
      if (held === undefined) return hold(id, undefined, 0, samples)
      const keep = lengthUpTo(held, afterMs)
      const same = startOfNew(held, keep, samples)
      if (same === null) return hold(id, held, keep, samples)
      const added = samples.timestamps.length - same
      if (added === 0) return
      const needsStale = held.stale === null && samples.stale !== null
      if (held.length + added > held.times.length || needsStale) return hold(id, held, keep, samples)
      // Behind all that was given.
      write(held, held.length, samples, same)
      held.length += added
    },
    append: (id, afterMs, timeMs, value) => appendTo(byId.get(id), afterMs, timeMs, value),
    appendRows(ids, afterMs, times, values) {
      const found = find(ids)
      if (found === null) return null
      const left: number[] = []
      for (let row = 0; row < found.length; row += 1) {
        const value = values[row] as number
        // NaN may be a mark.
        const isTaken =
          !Number.isNaN(value) && appendTo(found[row], afterMs, (times[row] as number) + afterMs, value)
        if (!isTaken) left.push(row)
      }
      return left
    },
    copy(fromMs, toMs, laterMs) {
      const slab = createSampleSlab(laterMs)
      for (const id of byId.keys()) {
        const samples = this.get(id, fromMs, toMs)
        if (samples !== null) slab.replaceAfter(id, fromMs, samples)
      }
      return slab
    },
    cutOthers(ids, afterMs) {
      for (const [id, held] of byId) {
        if (ids.has(id) || (held.times[held.length - 1] as number) <= afterMs) continue
        const keep = lengthUpTo(held, afterMs)
        lastRows = null
        if (keep === 0) byId.delete(id)
        else hold(id, held, keep, NO_SAMPLES)
      }
    },
  }
}

const ID_BYTES = 16

/** The id in a row, as hex digits. */
export function idAt(ids: Uint8Array, row: number): string {
  return Buffer.from(ids.buffer, ids.byteOffset + row * ID_BYTES, ID_BYTES).toString('hex')
}

/** Whether two rows have the same id. */
export function isSameId(ids: Uint8Array, row: number, other: number): boolean {
  for (let i = 0; i < ID_BYTES; i += 1) {
    if (ids[row * ID_BYTES + i] !== ids[other * ID_BYTES + i]) return false
  }
  return true
}

/** Samples. */
const CHUNK = 65_536
const LEAST_ROOM = 2

const NO_SAMPLES: SeriesSamples = {
  timestamps: new Float64Array(0),
  values: new Float64Array(0),
  stale: null,
}

/** Writes the samples from the first on; number by number, as they are few. */
function write({ times, values, stale }: Held, at: number, samples: SeriesSamples, first = 0): void {
  const { timestamps } = samples
  for (let i = first; i < timestamps.length; i += 1) {
    times[at + i - first] = timestamps[i] as number
    values[at + i - first] = samples.values[i] as number
    if (samples.stale !== null && stale !== null) stale[at + i - first] = samples.stale[i] as number
  }
}

function lengthUpTo({ times, length }: Held, timeMs: number): number {
  if ((times[length - 1] as number) <= timeMs) return length
  return firstAfter(times.subarray(0, length), timeMs)
}

/** How many samples are likely to come up to a time, as they came so far. */
function roomBehind(
  untilMs: number,
  kept: Held | undefined,
  keep: number,
  { timestamps }: SeriesSamples,
): number {
  const count = keep + timestamps.length
  if (count < 2) return LEAST_ROOM
  const firstMs = (keep > 0 ? kept?.times[0] : timestamps[0]) ?? 0
  const lastMs = timestamps.at(-1) ?? kept?.times[keep - 1] ?? 0
  const room = Math.ceil((untilMs - lastMs) / ((lastMs - firstMs) / (count - 1)))
  return LEAST_ROOM + Math.max(0, Math.min(room, count))
}

/** From which on samples are new behind what is held, as those before are the same; null: some are not. */
function startOfNew(held: Held, keep: number, { timestamps, values, stale }: SeriesSamples): number | null {
  const known = held.length - keep
  if (timestamps.length < known) return null
  for (let i = 0; i < known; i += 1) {
    const isSame =
      held.times[keep + i] === timestamps[i] &&
      Object.is(held.values[keep + i], values[i]) &&
      (held.stale?.[keep + i] ?? 0) === (stale?.[i] ?? 0)
    if (!isSame) return null
  }
  return known
}
