import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Counter, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../../runtime/clock.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Storage } from '../../storage/storage.ts'
import { type Checkpoint, writeCheckpoint } from './checkpoint.ts'
import { type LoadTiming, loadDelay } from './load-timing.ts'
import { comparePositions, type Position, segmentFileName } from './position.ts'
import { type JournalBatch, readBatch } from './read-batch.ts'
import { listSegments } from './recover-journal.ts'

/** Loads the journal into ClickHouse, in order. */
export interface JournalLoader {
  /** Says that everything up to `end` is durable in the journal. `acceptedAtMs`: of the newest request in it. */
  committed(end: Position, acceptedAtMs: number): void
  /** Says that what comes next goes into a new segment: those there are can be removed as soon as they are loaded. */
  sealed(): void
  state(): LoaderState
  /** Loads what is there, if ClickHouse takes it within `graceMs`, and stops. What is left is loaded by the next start. */
  close(graceMs: number): Promise<void>
}

/** How the loader is doing. */
export interface LoaderState {
  /** Everything before it is in ClickHouse. */
  readonly loaded: Position
  /** When the oldest request was accepted that cannot be queried yet, epoch milliseconds; null when there is none. */
  readonly oldestPendingAtMs: number | null
  /** Why the last load failed; null when it did not. */
  readonly failure: string | null
}

/** What the loader works with. */
export interface JournalLoaderOptions {
  readonly directory: string
  readonly checkpoint: Checkpoint
  /** The end of what was recovered, and when its first record was accepted if anything is pending. */
  readonly end: Position
  readonly storage: Storage
  readonly isSynced: boolean
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  readonly timing: LoadTiming
  /** Whether the receivers have nearly no time left: a burst is loaded when it is over. */
  readonly isReceiverBusy: () => boolean
  /** How full the journal is, 0 to 1. */
  readonly journalShare: () => number
  /** Told when everything before a position is in ClickHouse. */
  readonly onLoaded: (loaded: Position) => void
}

const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 5_000

/** Starts loading. */
export function startJournalLoader(options: JournalLoaderOptions): JournalLoader {
  const { directory, storage, clock, logger } = options
  const metrics = createLoaderMetrics(options.registry)
  let checkpoint = options.checkpoint
  let end = options.end
  /** Segments up to it get no more records; every start begins a new one. */
  let lastSealed = options.end.segment
  let failure: string | null = null
  let isClosing = false
  let wake: () => void = () => undefined
  /** When the requests behind a position were accepted, for the lag; the oldest first. */
  const commits: { readonly end: Position; readonly acceptedAtMs: number }[] = []
  if (comparePositions(checkpoint.loaded, end) < 0) commits.push({ end, acceptedAtMs: clock.now() })

  const hasPending = () => comparePositions(checkpoint.loaded, end) < 0
  const isReleasable = () => {
    const { segment, offset } = checkpoint.loaded
    return !hasPending() && offset > 0 && segment <= lastSealed
  }

  async function sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    wake = () => undefined
  }

  async function insert(batch: JournalBatch): Promise<void> {
    const { journal } = checkpoint
    const range = `${batch.from.segment}-${batch.from.offset}-${batch.to.offset}`
    for (const { table, columns, blocks, rows } of batch.tables) {
      const deduplicationToken = `${journal}-${range}-${table}`
      await storage.insertNative({ table, columns, blocks, rows, deduplicationToken })
      metrics.rows.inc({ table }, rows)
    }
  }

  /** One load. Throws when ClickHouse or the disk refuses; nothing is lost then. */
  async function loadOnce(): Promise<void> {
    const started = clock.monotonic()
    const from = checkpoint.loaded
    // A load that was begun and not finished must be repeated over the same range, under the same tokens.
    const until = checkpoint.loading ?? end
    const maxBytes = checkpoint.loading === null ? options.timing.maxBatchBytes : Number.POSITIVE_INFINITY
    const batch = await readBatch({ directory, from, until, maxBytes })
    if (batch.isDamaged) {
      metrics.damaged.inc()
      logger.error(
        { event: 'journal_damaged', segment: batch.to.segment, offset: batch.to.offset },
        'A journal segment is damaged after it was written: the rest of it cannot be loaded and is kept aside',
      )
    }
    const isSegmentDone = batch.isDamaged || comparePositions(batch.to, batch.from) === 0
    if (batch.rows > 0) {
      if (checkpoint.loading === null) {
        checkpoint = { ...checkpoint, loading: batch.to }
        await writeCheckpoint(directory, checkpoint, options.isSynced)
      }
      await insert(batch)
    }
    const next = isSegmentDone ? await nextSegmentStart(batch.to) : batch.to
    if (next === null) return
    checkpoint = { journal: checkpoint.journal, loaded: next, loading: null }
    await writeCheckpoint(directory, checkpoint, options.isSynced)
    while (commits.length > 0 && comparePositions((commits[0] as { end: Position }).end, next) <= 0)
      commits.shift()
    await removeSegmentsBefore(next.segment, batch.isDamaged)
    if (batch.rows > 0) metrics.seconds.observe((clock.monotonic() - started) / 1000)
    options.onLoaded(next)
  }

  /** Removes a segment that is loaded without waiting for the next one: it may be what fills the disk. */
  async function releaseSealed(): Promise<void> {
    const next = { segment: checkpoint.loaded.segment + 1, offset: 0 }
    checkpoint = { journal: checkpoint.journal, loaded: next, loading: null }
    await writeCheckpoint(directory, checkpoint, options.isSynced)
    await removeSegmentsBefore(next.segment, false)
  }

  /** The start of the segment behind `position`; null when there is none yet. */
  async function nextSegmentStart(position: Position): Promise<Position | null> {
    if (position.segment >= end.segment) return null
    const next = (await listSegments(directory)).find((segment) => segment > position.segment)
    return next === undefined ? null : { segment: next, offset: 0 }
  }

  async function removeSegmentsBefore(segment: number, isKept: boolean): Promise<void> {
    for (const old of await listSegments(directory)) {
      if (old >= segment) break
      const path = join(directory, segmentFileName(old))
      if (isKept) await rename(path, `${path}.cut`)
      else await rm(path, { force: true })
    }
  }

  async function run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    while (!isClosing) {
      if (!hasPending() && !isReleasable()) {
        await sleep(60_000)
        continue
      }
      const delayMs = failure === null && !isReleasable() ? delayOfNext() : 0
      if (delayMs > 0) await sleep(delayMs)
      else retryMs = await attempt(retryMs)
    }
    // One last load, so that a restart finds nothing to do; if ClickHouse is away, the journal keeps it.
    for (let tries = 0; hasPending() && failure === null && tries < 1000; tries++)
      await attempt(FIRST_RETRY_MS)
  }

  async function attempt(retryMs: number): Promise<number> {
    try {
      await (isReleasable() ? releaseSealed() : loadOnce())
      if (failure !== null) logger.info({ event: 'load_recovered' }, 'ClickHouse takes the journal again')
      failure = null
      return FIRST_RETRY_MS
    } catch (error) {
      metrics.failures.inc()
      const reason = errorMessage(error)
      if (reason !== failure)
        logger.warn({ event: 'load_failed', reason }, 'The journal cannot be loaded now; it is tried again')
      failure = reason
      if (!isClosing) await sleep(retryMs)
      return Math.min(LAST_RETRY_MS, retryMs * 2)
    }
  }

  function delayOfNext(): number {
    const situation = {
      pendingBytes: pendingBytesAbout(),
      oldestAgeMs: clock.now() - (commits[0]?.acceptedAtMs ?? 0),
      isReceiverBusy: options.isReceiverBusy(),
      journalShare: options.journalShare(),
    }
    return loadDelay(situation, options.timing)
  }

  /** Exact within one segment; a later segment pending means that a whole one is. */
  function pendingBytesAbout(): number {
    if (checkpoint.loaded.segment !== end.segment) return Number.POSITIVE_INFINITY
    return end.offset - checkpoint.loaded.offset
  }

  const running = run()
  return {
    committed: (position, acceptedAtMs) => {
      end = position
      commits.push({ end: position, acceptedAtMs })
      if (commits.length === 1 || pendingBytesAbout() >= options.timing.maxBatchBytes) {
        if (failure === null) wake()
      }
    },
    sealed: () => {
      lastSealed = end.segment
      wake()
    },
    state: () => ({
      loaded: checkpoint.loaded,
      oldestPendingAtMs: commits[0]?.acceptedAtMs ?? null,
      failure,
    }),
    close: async (graceMs) => {
      isClosing = true
      wake()
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, graceMs)
      await Promise.race([running, promise])
      clearTimeout(timer)
    },
  }
}

function createLoaderMetrics(registry: Registry) {
  const registers = [registry]
  return {
    rows: new Counter({
      name: 'meshwatch_journal_loaded_rows_total',
      help: 'Rows loaded from the journal into ClickHouse.',
      labelNames: ['table'],
      registers,
    }),
    seconds: new Histogram({
      name: 'meshwatch_journal_load_duration_seconds',
      help: 'How long one load of journal records into ClickHouse took.',
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    failures: new Counter({
      name: 'meshwatch_journal_load_failures_total',
      help: 'Loads that ClickHouse or the disk refused; each is tried again.',
      registers,
    }),
    damaged: new Counter({
      name: 'meshwatch_journal_damaged_segments_total',
      help: 'Journal segments that were found damaged when they were loaded.',
      registers,
    }),
  }
}
