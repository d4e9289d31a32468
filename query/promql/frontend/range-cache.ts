import { LRUCache } from 'lru-cache'
import type { Clock } from '../../../runtime/clock.ts'
import type { MatrixSeries } from '../query-engine.ts'
import type { ChangeLog, ChangeSource } from './change-log.ts'
import { type Piece, slicePiece } from './join-pieces.ts'
import type { QueryReach } from './query-reach.ts'

/** Which answer: the same text is the same question at the same moments. */
export interface CacheQuestion {
  /** Made of everything but the moments: tenant, expression, step, phase, split, lookback. */
  readonly key: string
  readonly tenant: string
  /** The query as it is written: the places that notes tell of are places in it. */
  readonly text: string
  readonly stepMs: number
  readonly lookbackMs: number
  readonly reach: QueryReach
  /** Its answer is of use as a whole only. */
  readonly isBound: boolean
}

/** Answers of the past, as long as they hold. */
export interface RangeCache {
  /** The state that an answer which is computed from now on will know. Ask before computing. */
  now(): CacheState
  /** What still holds of the answer to a question: one run of moments, or nothing. */
  find(question: CacheQuestion): Piece | null
  /** Remembers an answer; `state` as it was before any of it was computed or found. */
  put(question: CacheQuestion, piece: Piece, state: CacheState): void
  /** Bytes, about. */
  readonly size: number
  /** Questions so far of which something was remembered, and of which nothing was. */
  readonly counts: { readonly found: number; readonly missed: number }
}

/** When an answer was computed. */
export interface CacheState {
  readonly generation: number
  readonly atMs: number
}

/** What a cache is made from. */
export interface RangeCacheOptions {
  readonly maxBytes: number
  readonly changes: ChangeLog
  /**
   * Whether every insert is told to `changes`. Then an answer holds until something is inserted that it could have read. Else only moments are remembered whose
   * samples should all have come, and not for long.
   */
  readonly isSoleWriter: boolean
  readonly clock: Clock
}

/** Where others write too: samples may come so late, milliseconds (or as late as the lookback, if that is more) … */
const LATE_MS = 600_000
/** … and those that come later still are seen after so long at the latest. */
const MAX_AGE_MS = 600_000

interface Entry extends Piece {
  readonly text: string
  readonly state: CacheState
}

/** Makes an empty cache. */
export function createRangeCache(options: RangeCacheOptions): RangeCache {
  const { changes, clock, isSoleWriter } = options
  const counts = { found: 0, missed: 0 }
  const entries = new LRUCache<string, Entry>({
    maxSize: Math.max(1, options.maxBytes),
    maxEntrySize: Math.max(1, Math.floor(options.maxBytes / 2)),
    sizeCalculation: bytesOf,
  })

  const holdsOf = (entry: Entry, { tenant, reach, stepMs }: CacheQuestion): Piece | null => {
    if (!isSoleWriter && clock.now() - entry.state.atMs > MAX_AGE_MS) return null
    const changedMs = changes.changedSince(entry.state.generation, tenant, sourcesOf(reach))
    if (changedMs <= reach.latestFixedMs) return null
    return before(entry, changedMs + reach.leadMs, stepMs)
  }

  const find = (question: CacheQuestion): Piece | null => {
    const entry = entries.get(question.key)
    if (entry === undefined) return null
    const piece = holdsOf(entry, question)
    if (piece === null) entries.delete(question.key)
    const hasNotes = entry.result.warnings.length + entry.result.infos.length > 0
    return hasNotes && entry.text !== question.text ? null : piece
  }

  return {
    now: () => ({ generation: changes.generation(), atMs: clock.now() }),
    find(question) {
      const piece = find(question)
      counts[piece === null ? 'missed' : 'found'] += 1
      return piece
    },
    put(question, piece, state) {
      const { key, text, reach, lookbackMs, stepMs } = question
      const openMs = isSoleWriter ? Number.POSITIVE_INFINITY : state.atMs - Math.max(LATE_MS, lookbackMs)
      if (openMs <= reach.latestFixedMs) return
      const closed = before(piece, openMs + reach.leadMs, stepMs)
      if (closed !== null) entries.set(key, { ...closed, text, state })
    },
    get size() {
      return entries.calculatedSize
    },
    get counts() {
      return { ...counts }
    },
  }
}

/** The part of a piece whose moments are before a time. */
function before(piece: Piece, ms: number, stepMs: number): Piece | null {
  if (piece.endMs < ms) return piece
  if (piece.startMs >= ms) return null
  const steps = Math.ceil((ms - piece.startMs) / stepMs) - 1
  return slicePiece(piece, piece.startMs, piece.startMs + steps * stepMs)
}

/** The series that are made of spans have names of their own. */
function sourcesOf({ metrics }: QueryReach): readonly ChangeSource[] {
  if (metrics === null) return ['samples', 'spans']
  return [...metrics].some((name) => name.startsWith('traces_')) ? ['samples', 'spans'] : ['samples']
}

function bytesOf({ text, result }: Entry): number {
  // The key holds the query once more.
  let bytes = 500 + 4 * text.length
  for (const note of [...result.warnings, ...result.infos]) bytes += 50 + 2 * note.length
  for (const series of result.matrix) bytes += bytesOfSeries(series)
  return bytes
}

function bytesOfSeries({ labels, timestamps, histograms }: MatrixSeries): number {
  let bytes = 300 + 16 * timestamps.length
  for (const label of labels) bytes += 24 + label.length
  for (const histogram of histograms ?? []) {
    if (histogram === null) continue
    bytes += 300 + 8 * (histogram.positiveBuckets.length + histogram.negativeBuckets.length)
  }
  return bytes
}
