import { firstAfter } from '../../model/first-after.ts'
import type { SeriesSamples } from './order-stretches.ts'

/** The samples of many series, by id, with room behind each for those to come. What was given stays as it is when more is added. */
export interface SampleSlab {
  /** Samples that memory was taken for. It is given back with the slab: what is replaced takes up room until then. */
  readonly capacity: number
  /** The samples of a series in (fromMs, toMs]; null: none. */
  get(id: string, fromMs: number, toMs: number): SeriesSamples | null
  /** Makes `samples` all that a series has after `afterMs`; before that it stays as it is. */
  replaceAfter(id: string, afterMs: number, samples: SeriesSamples): void
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

/** An empty slab; `room`: how many samples are expected to be added to each series. */
export function createSampleSlab(room: number): SampleSlab {
  const byId = new Map<string, Held>()
  let capacity = 0
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
    const size = keep + count + room
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
  }

  return {
    get capacity() {
      return capacity
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
      const held = byId.get(id)
      if (held === undefined) return hold(id, undefined, 0, samples)
      const keep = firstAfter(held.times.subarray(0, held.length), afterMs)
      const same = startOfNew(held, keep, samples)
      if (same === null) return hold(id, held, keep, samples)
      const added = samples.timestamps.length - same
      if (added === 0) return
      const needsStale = held.stale === null && samples.stale !== null
      if (held.length + added > held.times.length || needsStale) return hold(id, held, keep, samples)
      // Behind all that was given.
      write(held, held.length, tail(samples, same))
      held.length += added
    },
    cutOthers(ids, afterMs) {
      for (const [id, held] of byId) {
        if (ids.has(id) || (held.times[held.length - 1] as number) <= afterMs) continue
        const keep = firstAfter(held.times.subarray(0, held.length), afterMs)
        if (keep === 0) byId.delete(id)
        else hold(id, held, keep, NO_SAMPLES)
      }
    },
  }
}

/** Samples. */
const CHUNK = 65_536

const NO_SAMPLES: SeriesSamples = {
  timestamps: new Float64Array(0),
  values: new Float64Array(0),
  stale: null,
}

function write({ times, values, stale }: Held, at: number, samples: SeriesSamples): void {
  times.set(samples.timestamps, at)
  values.set(samples.values, at)
  if (samples.stale !== null) stale?.set(samples.stale, at)
}

function tail({ timestamps, values, stale }: SeriesSamples, from: number): SeriesSamples {
  if (from === 0) return { timestamps, values, stale }
  return {
    timestamps: timestamps.subarray(from),
    values: values.subarray(from),
    stale: stale?.subarray(from) ?? null,
  }
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
