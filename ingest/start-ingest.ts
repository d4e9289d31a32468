import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../runtime/clock.ts'
import { AppError, ERROR_CODES, type ErrorCode, errorMessage } from '../runtime/errors.ts'
import type { Logger, LogLevel } from '../runtime/logger.ts'
import type { TlsFileOptions } from '../runtime/tls.ts'
import type { AccessControlOptions } from '../runtime/token-file.ts'
import type { Storage } from '../storage/storage.ts'
import type { IngestConfig } from './config.ts'
import { type JournalLoader, startJournalLoader } from './journal/journal-loader.ts'
import { type RecoveredJournal, recoverJournal } from './journal/recover-journal.ts'
import type { WriteAnswer, WriteRequest } from './prometheus/answer-write.ts'
import type { ScrapeConfig } from './scrape/config.ts'
import type { ScrapeView } from './scrape/start-scraper.ts'
import { createKnownSeriesTeller } from './series-limit/create-known-series-teller.ts'
import type { KnownSeries } from './series-limit/series-limiter.ts'
import type {
  FromReceiverThread,
  ReceiverPart,
  ReceiverThreadData,
  ToReceiverThread,
} from './thread-messages.ts'

/** What ingest is started with. */
export interface IngestOptions {
  readonly config: IngestConfig
  readonly scrape: ScrapeConfig
  /** What targets see as the name of who scrapes them. */
  readonly programVersion: string
  readonly dataDir: string
  readonly storage: Storage
  /** The receiver thread makes its own access control from it. */
  readonly access: AccessControlOptions
  readonly tls: TlsFileOptions | null
  /** How old telemetry may be, milliseconds. */
  readonly retention: { readonly tracesMs: number; readonly metricsMs: number }
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  readonly isLogReadable?: boolean
  /** Called when the receiver thread ends without having been asked to. */
  readonly onFailure?: (error: Error) => void
}

/** How ready ingest is. */
export interface IngestReadiness {
  readonly isReady: boolean
  /** Bytes acknowledged and not in ClickHouse yet. */
  readonly journalBytes: number
  /** Age of the oldest acknowledged request that cannot be queried yet, seconds. */
  readonly oldestUnloadedAgeSeconds: number
  readonly reason?: string
}

/** Telemetry in: receivers, journal and its loader. */
export interface Ingest {
  readonly otlpHttpUrl: string
  readonly otlpGrpcAddress: string
  readiness(): IngestReadiness
  /** The receiver thread's metrics as prom-client's JSON. */
  threadMetrics(): Promise<object[]>
  /** Takes a request of Prometheus' remote write; answers when it is on disk. The body is given away. Throws AppError SHUTTING_DOWN. */
  write(request: WriteRequest): Promise<WriteAnswer>
  /** What is scraped, and how that goes. */
  targets(): Promise<ScrapeView>
  /** Reads the files of a part again. Throws AppError when one is bad; then the part stays as it was. */
  reload(part: ReceiverPart): Promise<void>
  /** Stops to listen, finishes requests in flight (30 s at most), loads what ClickHouse takes at once. */
  close(): Promise<void>
}

const LOAD_TIMING = { intervalMs: 1000, largeBytes: 12 << 20, maxBatchBytes: 32 << 20 }
const CLOSE_GRACE_MS = 20_000
/** A ClickHouse that does not answer must not keep the server from stopping: the journal has everything. */
const LAST_LOAD_GRACE_MS = 5_000

/** Opens the journal, starts the receiver thread and the loader. Throws CANNOT_START. */
export async function startIngest(options: IngestOptions): Promise<Ingest> {
  const { config, storage, clock, logger, registry } = options
  const directory = config.journal.dir ?? join(options.dataDir, 'journal')
  const recovered = await openJournal(directory, logger)
  const thread = createThread(options, directory, recovered)
  let pendingBytes = recovered.pendingBytes
  let committedBytes = recovered.pendingBytes
  let journalFailure: string | null = null
  let isReceiverBusy = false
  let loadedBytes = 0
  const ends: { readonly segment: number; readonly offset: number; readonly total: number }[] = [
    { ...recovered.end, total: recovered.pendingBytes },
  ]
  let loader: JournalLoader | null = null
  const teller = createKnownSeriesTeller({
    storage,
    clock,
    logger,
    isLoaded: () => loadedBytes >= recovered.pendingBytes,
    tell: (known) => thread.tellSeries(known),
  })

  thread.onMessage((message) => {
    if (message.type === 'committed') {
      committedBytes += message.bytes
      pendingBytes += message.bytes
      ends.push({ ...message.end, total: committedBytes })
      loader?.committed(message.end, message.acceptedAtMs)
    } else if (message.type === 'busy') {
      isReceiverBusy = message.isBusy
    } else if (message.type === 'journal-state') {
      journalFailure = message.failure
      // The writer gives up the segment that it could not write to.
      if (message.failure !== null) loader?.sealed()
    } else if (message.type === 'series-wanted') {
      teller.ask(message.tenant)
    }
  })
  const listening = await thread.listening
  loader = startJournalLoader({
    directory,
    checkpoint: recovered.checkpoint,
    end: ends.at(-1) ?? recovered.end,
    storage,
    isSynced: config.journal.fsync,
    clock,
    logger,
    registry,
    timing: LOAD_TIMING,
    isReceiverBusy: () => isReceiverBusy,
    journalShare: () => pendingBytes / config.journal.maxSize,
    onLoaded: (loaded) => {
      let reached = loadedBytes
      while (
        ends[0] !== undefined &&
        (ends[0].segment - loaded.segment || ends[0].offset - loaded.offset) <= 0
      ) {
        reached = ends.shift()?.total ?? reached
      }
      loadedBytes = reached
      pendingBytes = committedBytes - loadedBytes
      thread.say({ type: 'loaded', bytes: loadedBytes })
    },
  })
  const startedLoader = loader
  const lagSeconds = (): number => {
    const oldest = startedLoader.state().oldestPendingAtMs
    return oldest === null ? 0 : Math.max(0, (clock.now() - oldest) / 1000)
  }
  registerJournalMetrics(registry, () => pendingBytes, lagSeconds)
  let isClosing = false
  thread.onExit((error) => {
    if (!isClosing) options.onFailure?.(error)
  })

  return {
    ...listening,
    readiness: () => {
      const { failure } = startedLoader.state()
      const isFull = pendingBytes >= config.journal.maxSize
      const reason = journalFailure ?? (isFull ? 'the journal is full' : null) ?? failure
      const facts = { journalBytes: pendingBytes, oldestUnloadedAgeSeconds: lagSeconds() }
      // ClickHouse being away does not make ingest unready: the journal takes what comes, until it is full.
      return {
        isReady: journalFailure === null && !isFull,
        ...facts,
        ...(reason === null ? {} : { reason }),
      }
    },
    threadMetrics: () => thread.metrics(),
    write: (request) => thread.write(request),
    targets: () => thread.targets(),
    reload: (part) => thread.reload(part),
    close: async () => {
      isClosing = true
      teller.close()
      await thread.close(CLOSE_GRACE_MS)
      await startedLoader.close(LAST_LOAD_GRACE_MS)
    },
  }
}

async function openJournal(directory: string, logger: Logger): Promise<RecoveredJournal> {
  try {
    return await recoverJournal(directory, logger)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('CANNOT_START', `Cannot open the journal in ${directory}: ${errorMessage(error)}`, {
      cause: error,
    })
  }
}

function registerJournalMetrics(registry: Registry, bytes: () => number, lagSeconds: () => number): void {
  const registers = [registry]
  new Gauge({
    name: 'meshwatch_journal_bytes',
    help: 'Bytes in the journal that are not in ClickHouse yet.',
    registers,
    collect() {
      this.set(bytes())
    },
  })
  new Gauge({
    name: 'meshwatch_ingest_lag_seconds',
    help: 'Age of the oldest acknowledged record that cannot be queried yet.',
    registers,
    collect() {
      this.set(lagSeconds())
    },
  })
}

function createThread(options: IngestOptions, directory: string, recovered: RecoveredJournal) {
  const { retention } = options
  const data: ReceiverThreadData = {
    config: options.config,
    scrape: options.scrape,
    programVersion: options.programVersion,
    journalDirectory: directory,
    journal: recovered.checkpoint.journal,
    firstSegment: recovered.nextSegment,
    pendingBytes: recovered.pendingBytes,
    maxAgeMs: { traces: retention.tracesMs, logs: retention.tracesMs, metrics: retention.metricsMs },
    access: options.access,
    tls: options.tls,
    logLevel: options.logger.level as LogLevel,
    isLogReadable: options.isLogReadable ?? false,
  }
  const worker = new Worker(new URL('./receiver-thread.ts', import.meta.url), { workerData: data })
  const started = Promise.withResolvers<{ otlpHttpUrl: string; otlpGrpcAddress: string }>()
  const exited = Promise.withResolvers<Error>()
  const answers = new Map<number, (message: FromReceiverThread) => void>()
  let nextId = 1
  worker.on('message', (message: FromReceiverThread) => {
    if (message.type === 'listening') {
      started.resolve({ otlpHttpUrl: message.otlpHttpUrl, otlpGrpcAddress: message.otlpGrpcAddress })
    } else if (message.type === 'failed') {
      const code = Object.hasOwn(ERROR_CODES, message.code) ? (message.code as ErrorCode) : 'INTERNAL'
      started.reject(new AppError(code, message.message))
    } else if (isAnswer(message)) {
      answers.get(message.id)?.(message)
      answers.delete(message.id)
    }
  })
  worker.on('error', (error) => {
    const failure = error instanceof Error ? error : new Error(String(error))
    started.reject(failure)
    exited.resolve(failure)
  })
  worker.on('exit', () => exited.resolve(new Error('The receiver thread has ended')))
  const say = (message: ToReceiverThread): void => worker.postMessage(message)
  const ask = async (
    question: (id: number) => ToReceiverThread,
    handedOver: readonly ArrayBuffer[] = [],
  ): Promise<FromReceiverThread> => {
    const id = nextId++
    const answer = Promise.withResolvers<FromReceiverThread>()
    answers.set(id, answer.resolve)
    worker.postMessage(question(id), handedOver)
    return await Promise.race([answer.promise, exited.promise.then(() => ({ type: 'closed' }) as const)])
  }
  return {
    listening: started.promise,
    say,
    onMessage: (listener: (message: FromReceiverThread) => void) => void worker.on('message', listener),
    onExit: (listener: (error: Error) => void) => void exited.promise.then(listener),
    tellSeries: (known: KnownSeries): void => {
      worker.postMessage({ type: 'known-series', known } satisfies ToReceiverThread, [
        known.ids.buffer as ArrayBuffer,
      ])
    },
    metrics: async (): Promise<object[]> => {
      const answer = await ask((id) => ({ type: 'metrics', id }))
      return answer.type === 'metrics' ? answer.metrics : []
    },
    write: async (request: WriteRequest): Promise<WriteAnswer> => {
      // A buffer of its own: what is handed over must not be a part of another's.
      const body = new Uint8Array(request.body)
      const answer = await ask((id) => ({ type: 'write', id, request: { ...request, body } }), [body.buffer])
      if (answer.type === 'written') return answer.answer
      throw new AppError('SHUTTING_DOWN', 'Cannot take the message: shutting down')
    },
    targets: async (): Promise<ScrapeView> => {
      const answer = await ask((id) => ({ type: 'targets', id }))
      return answer.type === 'targets' ? answer.targets : { active: [], dropped: [] }
    },
    reload: async (part: ReceiverPart): Promise<void> => {
      const answer = await ask((id) => ({ type: 'reload', id, part }))
      if (answer.type === 'reloaded' && answer.failure !== null)
        throw new AppError('CANNOT_START', answer.failure)
    },
    close: async (graceMs: number): Promise<void> => {
      say({ type: 'close', graceMs })
      await exited.promise
    },
  }
}

type Answer = Extract<FromReceiverThread, { readonly id: number }>

function isAnswer(message: FromReceiverThread): message is Answer {
  return 'id' in message
}
