import { LRUCache } from 'lru-cache'
import { AppError } from '../../runtime/errors.ts'
import { bytesOf, numberArraysOf, numbersOf } from '../../storage/block-columns.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import type { Storage } from '../../storage/storage.ts'
import { orderStretches, type SeriesSamples } from './order-stretches.ts'
import {
  askFor,
  numberColumn,
  numbersColumn,
  type SampleScope,
  timeColumn,
  timesColumn,
} from './read-samples.ts'
import { createSampleSlab, idAt, isSameId, type SampleSlab } from './sample-slab.ts'
import { eachRow } from './series-reader.ts'

/** Which samples are asked for, and whether that is at one moment only. */
export type WindowScope = Pick<SampleScope, 'tenant' | 'metrics' | 'ids' | 'fromMs' | 'toMs' | 'signal'>

/** What is known of changes to samples; see `ChangeLog`. */
export interface SampleChanges {
  generation(): number
  /** The earliest time of samples of a tenant that has changed after a generation; Infinity: none has. */
  changedSince(generation: number, tenant: string): number
}

/**
 * Samples of whole metrics in some minutes, remembered. Rules ask many questions about the same metrics at nearly the same moment, each about other
 * series, which lie all over the table: after the first few they are answered from memory. What has been written since is read when it is asked for.
 */
export interface WindowMemory {
  /** Whether samples of this scope are to be read here. Counts the question. */
  wants(scope: WindowScope): boolean
  /** The samples by id; null: read them elsewhere. */
  read(storage: Storage, scope: WindowScope): Promise<ReadonlyMap<string, SeriesSamples> | null>
}

interface Window {
  /** Exclusive. */
  readonly fromMs: number
  /** Inclusive. */
  readonly toMs: number
  /** All changes up to this one are in it. */
  readonly generation: number
  readonly slab: SampleSlab
  /** Pieces that were asked for, by range, then by id: the rules of a group ask for the same minutes of the same series. */
  readonly pieces: LRUCache<string, Map<string, SeriesSamples>>
}

interface Asked {
  questions: number
  /** There are too many samples to be remembered. */
  isTooLarge: boolean
  window: Promise<Window> | null
  /** That of the slot before, until there is one. */
  before: Promise<Window> | null
}

/** Fewer series are quickly read one by one. */
const LEAST_SERIES = 20
/** Questions whose moments lie in the same slot share what is read, milliseconds. */
const SLOT_MS = 300_000
/** So much before the slot is read at least, so that questions about shorter windows share it, milliseconds. */
const SHARED_MS = 600_000
const LONGEST_MS = 1_200_000
/** What came in so short a time is read sample by sample, milliseconds, and so many of them at most. */
const LITTLE_MS = 60_000
const LITTLE_ROWS = 500_000
const MOST_SERIES = 100_000
/** Ranges of which pieces are kept. */
const PIECES = 4
/** Questions before samples are remembered. */
const ASKED_BEFORE = 1
/** Samples of one window, and of all: 16 bytes each. */
const MAX_SAMPLES = 4_000_000

/** An empty memory. */
export function createWindowMemory(changes: SampleChanges): WindowMemory {
  const asked = new LRUCache<string, Asked>({ max: 500 })
  const kept = new LRUCache<string, Window>({
    maxSize: MAX_SAMPLES,
    sizeCalculation: ({ slab }) => slab.capacity + 1,
    dispose: (_window, key, reason) => {
      if (reason === 'evict') asked.delete(key)
    },
  })
  const find = ({ tenant, metrics, ids, fromMs, toMs }: WindowScope) => {
    const isShort = toMs - fromMs <= LONGEST_MS
    if (!isShort || metrics.length !== 1 || ids.length < LEAST_SERIES) return null
    const slotMs = Math.floor(toMs / SLOT_MS) * SLOT_MS
    const keyOf = (ms: number) => JSON.stringify([tenant, metrics, ms])
    const key = keyOf(slotMs)
    let found = asked.get(key)
    if (found === undefined) {
      const before = asked.get(keyOf(slotMs - SLOT_MS))
      // Who asked about the slot before goes on asking.
      const isAsked = before != null && before.window !== null
      found = {
        questions: isAsked ? ASKED_BEFORE : 0,
        isTooLarge: before?.isTooLarge === true,
        window: null,
        before: isAsked ? before.window : null,
      }
      asked.set(key, found)
    }
    return { key, found, slotMs }
  }
  const remember = async (
    key: string,
    found: Asked,
    reading: Promise<Window>,
    isGrown: boolean,
  ): Promise<Window | null> => {
    found.window = reading
    try {
      const window = await reading
      if (window.slab.capacity <= MAX_SAMPLES / 2) kept.set(key, window)
      else if (found.window === reading) {
        found.window = null
        // What has grown by being written again and again is read anew.
        found.isTooLarge = !isGrown
      }
      return window
    } catch (error) {
      if (found.window === reading) found.window = null
      if (!(error instanceof AppError) || error.code !== 'RESULT_TOO_LARGE') throw error
      found.isTooLarge = true
      return null
    }
  }
  return {
    wants(scope) {
      const place = find(scope)
      if (place === null) return false
      place.found.questions += 1
      return place.found.questions > ASKED_BEFORE && !place.found.isTooLarge
    },
    async read(storage, scope) {
      const place = find(scope)
      if (place === null) return null
      const { found, key, slotMs } = place
      if (found.questions <= ASKED_BEFORE || found.isTooLarge) return null
      const askedAt = changes.generation()
      for (;;) {
        const reading = found.window
        // Another question's reading may fail: this one then reads by itself.
        const window = await reading?.catch(() => null)
        if (found.isTooLarge) return null
        // Others may have gone on from here in the meantime.
        if (found.window !== reading) continue
        const isWide = window != null && window.fromMs <= scope.fromMs
        const goodUpToMs = isWide ? goodUpTo(changes, window, scope, askedAt) : Number.NEGATIVE_INFINITY
        if (isWide && goodUpToMs >= scope.toMs) return sliced(window, scope)
        const fromMs = Math.max(-1, Math.min(scope.fromMs, slotMs - SHARED_MS))
        const whole = { ...scope, fromMs, toMs: slotMs + SLOT_MS }
        const begun = { ...whole, generation: changes.generation(), askedToMs: scope.toMs }
        const isUsable = isWide && goodUpToMs > window.fromMs
        const next = isUsable
          ? goOn(storage, window, begun, goodUpToMs)
          : start(changes, storage, found, begun, askedAt)
        found.before = null
        const made = await remember(key, found, next, isUsable)
        return made === null ? null : sliced(made, scope)
      }
    },
  }
}

/** Up to which time a window holds what a question that was asked at a generation has to see. */
function goodUpTo(changes: SampleChanges, window: Window, { tenant }: WindowScope, askedAt: number): number {
  if (window.generation >= askedAt) return window.toMs
  return Math.min(window.toMs, changes.changedSince(window.generation, tenant) - 1)
}

interface Begun extends WindowScope {
  readonly generation: number
  /** The moment that is asked for: few samples are later. */
  readonly askedToMs: number
}

/** The first window of a slot: that of the slot before, as far as it reaches, or all of it anew. */
async function start(
  changes: SampleChanges,
  storage: Storage,
  { before: previous }: Asked,
  scope: Begun,
  askedAt: number,
): Promise<Window> {
  const before = await previous?.catch(() => null)
  if (before != null && before.fromMs <= scope.fromMs) {
    const goodUpToMs = goodUpTo(changes, before, scope, askedAt)
    if (goodUpToMs > scope.fromMs) {
      const slab = before.slab.copy(scope.fromMs, goodUpToMs, scope.toMs)
      return goOn(storage, windowOf(scope, slab), scope, goodUpToMs)
    }
  }
  const slab = createSampleSlab(scope.toMs)
  await readInto(storage, slab, scope, null)
  return windowOf(scope, slab)
}

/** Reads what has come after a time, and makes a window of it with what is known up to there. */
async function goOn(storage: Storage, window: Window, scope: Begun, goodUpToMs: number): Promise<Window> {
  const { slab, fromMs } = window
  const isRewritten = slab.latestMs > goodUpToMs
  const later = { ...scope, fromMs: goodUpToMs }
  const isLittle = !isRewritten && scope.askedToMs - goodUpToMs <= LITTLE_MS
  if (!(isLittle && (await readLittle(storage, slab, later)))) {
    const ids = new Set<string>()
    await readInto(storage, slab, later, isRewritten ? ids : null)
    if (isRewritten) slab.cutOthers(ids, goodUpToMs)
  }
  return windowOf({ ...scope, fromMs }, slab)
}

function windowOf({ fromMs, toMs, generation }: Begun, slab: SampleSlab): Window {
  return { fromMs, toMs, generation, slab, pieces: new LRUCache({ max: PIECES }) }
}

/** Reads what came since the last scrape or two, sample by sample; false, and nothing done: it is too much for that. */
async function readLittle(storage: Storage, slab: SampleSlab, scope: WindowScope): Promise<boolean> {
  const read = {
    name: 'metrics.window',
    table: 'prom_samples',
    isPlain: true,
    columns: { times: timeColumn(scope), numbers: numberColumn('is_stale') },
    maxSeries: LITTLE_ROWS,
  } as const
  const { signal: _, ...shared } = scope
  const blocks = await askFor(storage, shared, read, null).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'RESULT_TOO_LARGE') return null
    throw error
  })
  if (blocks === null || blocks.length > 1) return false
  for (const block of blocks) appendBlock(slab, block, scope.fromMs)
  return true
}

function appendBlock(slab: SampleSlab, block: ColumnBlock, fromMs: number): void {
  const { values: ids } = bytesOf(block, 'series')
  const [times, values] = [numbersOf(block, 'times'), numbersOf(block, 'numbers')]
  const { stretch, free } = orderStretches(times, values, fromMs)
  const replace = (from: number, to: number) => slab.replaceAfter(idAt(ids, from), fromMs, stretch(from, to))
  const left = slab.appendRows(ids, fromMs, times as Float64Array, values as Float64Array)
  if (left !== null) for (const row of left) replace(row, row + 1)
  else {
    let from = 0
    for (let to = 1; to <= block.rows; to += 1) {
      if (to < block.rows && isSameId(ids, from, to)) continue
      replace(from, to)
      from = to
    }
  }
  free()
}

/** Reads the samples of a scope, which take the place of what there is in its range; `ids` gets those that have any. */
async function readInto(
  storage: Storage,
  slab: SampleSlab,
  scope: WindowScope,
  ids: Set<string> | null,
): Promise<void> {
  const read = {
    name: 'metrics.window',
    table: 'prom_samples',
    columns: { times: timesColumn(scope), numbers: numbersColumn('is_stale') },
    maxSeries: MOST_SERIES,
  } as const
  // Not the signal of one question: others wait for the same samples.
  const { signal: _, ...shared } = scope
  const blocks = await askFor(storage, shared, read, null)
  for (const block of blocks) {
    const { ends, values: times } = numberArraysOf(block, 'times')
    const { values } = numberArraysOf(block, 'numbers')
    const { stretch, free } = orderStretches(times, values, scope.fromMs)
    eachRow(block, (id, row) => {
      ids?.add(id)
      const from = row === 0 ? 0 : (ends[row - 1] as number)
      const to = ends[row] as number
      if (to - from === 1) {
        const value = Number(values[from])
        const timeMs = Number(times[from]) + scope.fromMs
        // NaN may be a mark.
        if (!Number.isNaN(value) && slab.append(id, scope.fromMs, timeMs, value)) return
      }
      slab.replaceAfter(id, scope.fromMs, stretch(from, to))
    })
    free()
  }
}

/** The samples of the series that are asked for, in their range. */
function sliced(
  { slab, pieces }: Window,
  { ids, fromMs, toMs }: WindowScope,
): ReadonlyMap<string, SeriesSamples> {
  const key = `${fromMs} ${toMs}`
  const known = pieces.get(key) ?? new Map<string, SeriesSamples>()
  pieces.set(key, known)
  const wanted = new Map<string, SeriesSamples>()
  for (const id of ids) {
    const before = known.get(id)
    const piece = before ?? slab.get(id, fromMs, toMs)
    if (piece === null) continue
    if (before === undefined) known.set(id, piece)
    wanted.set(id, piece)
  }
  return wanted
}
