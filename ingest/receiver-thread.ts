import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Registry } from 'prom-client'
import { systemClock } from '../runtime/clock.ts'
import { AppError, errorMessage } from '../runtime/errors.ts'
import { createLogger, type Logger } from '../runtime/logger.ts'
import { readTls } from '../runtime/tls.ts'
import { createTokenAccess } from '../runtime/token-file.ts'
import { createExportSink } from './create-export-sink.ts'
import { createRefusals, type Refusals } from './create-refusals.ts'
import { createGroupCommit } from './journal/group-commit.ts'
import { createJournalWriter } from './journal/journal-writer.ts'
import { createTelemetryBlocks } from './otlp/telemetry-blocks.ts'
import {
  answerWrite,
  refusedWrite,
  type WriteAnswer,
  type WriteAnswerOptions,
  type WriteRequest,
} from './prometheus/answer-write.ts'
import { createUnsnappy } from './prometheus/unsnappy.ts'
import { createByteBudget } from './receivers/byte-budget.ts'
import { createOtlpGrpc } from './receivers/otlp-grpc.ts'
import { createOtlpHttp } from './receivers/otlp-http.ts'
import { overloaded, type ReceiverOptions } from './receivers/receiver.ts'
import { createReceiverMetrics } from './receivers/receiver-metrics.ts'
import { type Scraper, startScraper } from './scrape/start-scraper.ts'
import { createSeriesLimiter } from './series-limit/create-series-limiter.ts'
import { logSeriesRefusals } from './series-limit/log-series-refusals.ts'
import { registerSeriesMetrics } from './series-limit/register-series-metrics.ts'
import type {
  FromReceiverThread,
  ReceiverPart,
  ReceiverThreadData,
  ToReceiverThread,
} from './thread-messages.ts'
import { watchLoad } from './watch-load.ts'

// The thread that takes telemetry: receivers, decoders and the journal's writer. It never waits for ClickHouse, and a long
// answer in the main thread never holds up an acknowledgement.

const MAX_ATTRIBUTES = 1024
/** What is scraped is the house's own. */
const SCRAPE_TENANT = 'default'
const MAX_FUTURE_MS = 10 * 60_000
/** A segment is removed whole: with a small journal it is a small part of it. */
const MAX_SEGMENT_BYTES = 256 << 20
const SEGMENTS_AT_LEAST = 8

if (parentPort !== null) await startReceiverThread(parentPort, workerData as ReceiverThreadData)

async function startReceiverThread(port: MessagePort, data: ReceiverThreadData): Promise<void> {
  const say = (message: FromReceiverThread): void => port.postMessage(message)
  const clock = systemClock
  const logger = createLogger({ level: data.logLevel, isReadable: data.isLogReadable, clock })
  const registry = new Registry()
  try {
    const access = createTokenAccess(data.access)
    const refusals = createRefusals(registry)
    const { sink, commit, setLoaded, limiter } = createJournalSink(data, registry, refusals, logger, say)
    const budget = createByteBudget(data.config.maxInFlight)
    const options = {
      sink,
      writes: {
        sink,
        unsnappy: createUnsnappy(),
        maxMessageBytes: data.config.maxMessageSize,
        logger,
        refusals,
      },
      access,
      budget,
      metrics: createReceiverMetrics(registry, budget),
      refusals,
      maxMessageBytes: data.config.maxMessageSize,
      tls: data.tls === null ? null : readTls(data.tls),
      logger,
      clock,
    }
    const http = createOtlpHttp(options)
    const grpc = createOtlpGrpc(options)
    let scraper: Scraper | null = null
    const reloads: Readonly<Record<ReceiverPart, () => Promise<void> | void>> = {
      tokens: () => access.reload(),
      certificates: () => {
        if (data.tls === null) return
        const tls = readTls(data.tls)
        http.renewTls(tls)
        grpc.renewTls(tls)
      },
      'scrape jobs': () => scraper?.reload(),
    }
    const stopWatching = watchLoad((isBusy) => say({ type: 'busy', isBusy }))
    const close = async (graceMs: number): Promise<void> => {
      stopWatching()
      await Promise.all([http.close(graceMs), grpc.close(graceMs), scraper?.close()])
      await commit.close()
      say({ type: 'closed' })
      port.close()
    }
    port.on('message', (message: ToReceiverThread) => {
      if (message.type === 'loaded') setLoaded(message.bytes)
      else if (message.type === 'known-series') limiter.learn(message.known)
      else if (message.type === 'close') void close(message.graceMs)
      else if (message.type === 'write') {
        const { id, request } = message
        void takeHandedWrite(options, request).then((answer) => say({ type: 'written', id, answer }))
      } else if (message.type === 'metrics') {
        const { id } = message
        void registry.getMetricsAsJSON().then((metrics) => say({ type: 'metrics', id, metrics }))
      } else if (message.type === 'targets') {
        say({ type: 'targets', id: message.id, targets: scraper?.view() ?? { active: [], dropped: [] } })
      } else {
        const { id, part } = message
        void failureOf(reloads[part]).then((failure) => say({ type: 'reloaded', id, failure }))
      }
    })
    const otlpHttpUrl = await http.listen(data.config.otlpHttp.host, data.config.otlpHttp.port)
    const otlpGrpcAddress = await grpc.listen(data.config.otlpGrpc.host, data.config.otlpGrpc.port)
    scraper = startScraper({
      config: data.scrape,
      write: (tenant, message) => sink.acceptWrite(2, tenant, message),
      tenant: SCRAPE_TENANT,
      programVersion: data.programVersion,
      clock,
      logger,
      registry,
    })
    say({ type: 'listening', otlpHttpUrl, otlpGrpcAddress })
  } catch (error) {
    say({
      type: 'failed',
      code: error instanceof AppError ? error.code : 'INTERNAL',
      message: errorMessage(error),
    })
    port.close()
  }
}

/** Takes what came on the API's listener; it counts as what comes on the receivers' own. */
async function takeHandedWrite(
  options: ReceiverOptions & { readonly writes: WriteAnswerOptions },
  request: WriteRequest,
): Promise<WriteAnswer> {
  const { metrics, clock } = options
  const startedAt = clock.monotonic()
  const lease = options.budget.lease()
  metrics.inFlight(1)
  metrics.received('remote-write', 'metrics', request.body.length)
  let answer: WriteAnswer
  if (lease.take(request.body.length)) {
    answer = await answerWrite(options.writes, request, lease)
  } else {
    const error = overloaded()
    options.refusals.message('metrics', error)
    answer = refusedWrite(error)
  }
  lease.release()
  metrics.inFlight(-1)
  metrics.observe('remote-write', 'metrics', answer.status, clock.monotonic() - startedAt)
  return answer
}

function createJournalSink(
  data: ReceiverThreadData,
  registry: Registry,
  refusals: Refusals,
  logger: Logger,
  say: (message: FromReceiverThread) => void,
) {
  const clock = systemClock
  const { seriesLimit } = data.config
  const limiter = createSeriesLimiter({
    limit: seriesLimit,
    askKnown: (tenant) => say({ type: 'series-wanted', tenant }),
    onRefused: logSeriesRefusals(logger, clock, seriesLimit),
  })
  registerSeriesMetrics(registry, limiter)
  const telemetry = createTelemetryBlocks({ maxAttributes: MAX_ATTRIBUTES, limiter })
  const writer = createJournalWriter({
    directory: data.journalDirectory,
    firstSegment: data.firstSegment,
    journal: data.journal,
    tables: telemetry.blocks.map(({ table, structure }) => ({ table, structure })),
    isSynced: data.config.journal.fsync,
    segmentBytes: Math.min(MAX_SEGMENT_BYTES, data.config.journal.maxSize / SEGMENTS_AT_LEAST),
  })
  let appended = data.pendingBytes
  let loaded = 0
  let failure: string | null = null
  const setFailure = (next: string | null): void => {
    if (next === failure) return
    failure = next
    say({ type: 'journal-state', failure })
    if (next !== null)
      logger.error({ event: 'journal_unwritable', reason: next }, 'Telemetry is refused for now')
    else logger.info({ event: 'journal_writable' }, 'Telemetry is taken again')
  }
  const commit = createGroupCommit({
    blocks: telemetry.blocks,
    writer: {
      append: async (record) => {
        try {
          const end = await writer.append(record)
          setFailure(null)
          return end
        } catch (error) {
          setFailure(errorMessage(error))
          throw error
        }
      },
      close: () => writer.close(),
    },
    clock,
    resetBlocks: telemetry.reset,
    onCommitted: (end, bytes, acceptedAtMs) => {
      appended += bytes
      say({ type: 'committed', end, bytes, acceptedAtMs })
    },
  })
  const sink = createExportSink({
    blocks: telemetry,
    commit,
    clock,
    registry,
    refusals,
    maxAgeMs: data.maxAgeMs,
    maxFutureMs: MAX_FUTURE_MS,
    journalBytes: () => appended - loaded,
    maxJournalBytes: data.config.journal.maxSize,
  })
  const setLoaded = (bytes: number): void => {
    loaded = bytes
  }
  return { sink, commit, setLoaded, limiter }
}

async function failureOf(action: () => Promise<void> | void): Promise<string | null> {
  try {
    await action()
    return null
  } catch (error) {
    return errorMessage(error)
  }
}
