import { LRUCache } from 'lru-cache'
import { firstAfter } from '../../model/first-after.ts'
import { AppError } from '../../runtime/errors.ts'
import { numberArraysOf } from '../../storage/block-columns.ts'
import type { Storage } from '../../storage/storage.ts'
import { orderStretches, type SeriesSamples } from './order-stretches.ts'
import { askFor, numbersColumn, type SampleScope, timesColumn } from './read-samples.ts'
import { eachRow } from './series-reader.ts'

/** Which samples are asked for, and whether that is at one moment only. */
export type WindowScope = Pick<SampleScope, 'tenant' | 'metrics' | 'ids' | 'fromMs' | 'toMs' | 'signal'>

/**
 * Samples of whole metrics in some minutes, remembered while nothing is written. Rules ask many questions about the same metrics at nearly the same
 * moment, each about other series, which lie all over the table: after the first few they are answered from memory.
 */
export interface WindowMemory {
  /** Whether samples of this scope are to be read here. Counts the question. */
  wants(storage: Storage, scope: WindowScope): boolean
  /** The samples by id; null: read them elsewhere. */
  read(storage: Storage, scope: WindowScope): Promise<ReadonlyMap<string, SeriesSamples> | null>
}

interface Window {
  /** Exclusive. */
  readonly fromMs: number
  readonly samples: number
  readonly byId: ReadonlyMap<string, SeriesSamples>
  /** Pieces that were asked for, by range, then by id: the rules of a group ask for the same minutes of the same series. */
  readonly pieces: LRUCache<string, Map<string, SeriesSamples>>
}

interface Asked {
  questions: number
  /** There are too many samples to be remembered. */
  isTooLarge: boolean
  window: Promise<Window> | null
}

/** Fewer series are quickly read one by one. */
const LEAST_SERIES = 20
/** Questions whose moments lie in the same slot share what is read, milliseconds. */
const SLOT_MS = 300_000
/** So much before the slot is read at least, so that questions about shorter windows share it, milliseconds. */
const SHARED_MS = 600_000
const LONGEST_MS = 1_200_000
const MOST_SERIES = 100_000
/** Ranges of which pieces are kept. */
const PIECES = 4
/** Questions before samples are remembered. */
const ASKED_BEFORE = 2
/** Samples of one window, and of all: 16 bytes each. */
const MAX_SAMPLES = 4_000_000

/** An empty memory. */
export function createWindowMemory(): WindowMemory {
  const asked = new LRUCache<string, Asked>({ max: 500 })
  const kept = new LRUCache<string, Window>({
    maxSize: MAX_SAMPLES,
    sizeCalculation: ({ samples }) => samples + 1,
    dispose: (_window, key, reason) => {
      if (reason === 'evict') asked.delete(key)
    },
  })
  const find = (storage: Storage, { tenant, metrics, ids, fromMs, toMs }: WindowScope) => {
    const revision = storage.revision('prom_samples')
    const isShort = toMs - fromMs <= LONGEST_MS
    if (revision === null || !isShort || metrics.length !== 1 || ids.length < LEAST_SERIES) return null
    const slotMs = Math.floor(toMs / SLOT_MS) * SLOT_MS
    const key = JSON.stringify([tenant, metrics, slotMs, revision])
    const found = asked.get(key) ?? { questions: 0, isTooLarge: false, window: null }
    asked.set(key, found)
    return { key, found, slotMs }
  }
  return {
    wants(storage, scope) {
      const place = find(storage, scope)
      if (place === null) return false
      place.found.questions += 1
      return place.found.questions > ASKED_BEFORE && !place.found.isTooLarge
    },
    async read(storage, scope) {
      const place = find(storage, scope)
      if (place === null) return null
      const { found, key, slotMs } = place
      if (found.questions <= ASKED_BEFORE || found.isTooLarge) return null
      let window = await found.window
      if (window === null || window.fromMs > scope.fromMs) {
        const fromMs = Math.max(-1, Math.min(scope.fromMs, slotMs - SHARED_MS))
        const reading = load(storage, { ...scope, fromMs, toMs: slotMs + SLOT_MS })
        found.window = reading
        try {
          window = await reading
        } catch (error) {
          found.window = null
          if (!(error instanceof AppError) || error.code !== 'RESULT_TOO_LARGE') throw error
          found.isTooLarge = true
          return null
        }
        if (window.samples > MAX_SAMPLES / 2) {
          found.window = null
          found.isTooLarge = true
        } else kept.set(key, window)
      }
      return sliced(window, scope)
    },
  }
}

async function load(storage: Storage, scope: WindowScope): Promise<Window> {
  const byId = new Map<string, SeriesSamples>()
  let samples = 0
  const read = {
    name: 'metrics.window',
    table: 'prom_samples',
    columns: { times: timesColumn(scope), numbers: numbersColumn('is_stale') },
    maxSeries: MOST_SERIES,
  } as const
  for (const block of await askFor(storage, scope, read, null)) {
    const { ends, values: times } = numberArraysOf(block, 'times')
    const { stretch } = orderStretches(times, numberArraysOf(block, 'numbers').values, scope.fromMs)
    eachRow(block, (id, row) =>
      byId.set(id, stretch(row === 0 ? 0 : (ends[row - 1] as number), ends[row] as number)),
    )
    samples += times.length
  }
  return { fromMs: scope.fromMs, samples, byId, pieces: new LRUCache({ max: PIECES }) }
}

/** The samples of the series that are asked for, in their range. */
function sliced(
  { byId, pieces }: Window,
  { ids, fromMs, toMs }: WindowScope,
): ReadonlyMap<string, SeriesSamples> {
  const key = `${fromMs} ${toMs}`
  const known = pieces.get(key) ?? new Map<string, SeriesSamples>()
  pieces.set(key, known)
  const wanted = new Map<string, SeriesSamples>()
  for (const id of ids) {
    const before = known.get(id)
    const piece = before ?? pieceOf(byId.get(id), fromMs, toMs)
    if (piece === null) continue
    if (before === undefined) known.set(id, piece)
    wanted.set(id, piece)
  }
  return wanted
}

function pieceOf(samples: SeriesSamples | undefined, fromMs: number, toMs: number): SeriesSamples | null {
  if (samples === undefined) return null
  const { timestamps, values, stale } = samples
  const from = firstAfter(timestamps, fromMs)
  const to = firstAfter(timestamps, toMs)
  if (from === to) return null
  return {
    timestamps: timestamps.subarray(from, to),
    values: values.subarray(from, to),
    stale: markedOnly(stale?.subarray(from, to) ?? null),
  }
}

function markedOnly(stale: Uint8Array | null): Uint8Array | null {
  return stale?.includes(1) === true ? stale : null
}
