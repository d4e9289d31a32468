import { Counter, type Registry } from 'prom-client'
import type { Clock } from '../runtime/clock.ts'
import { AppError } from '../runtime/errors.ts'
import type { Refusals } from './create-refusals.ts'
import type { ExportResult, ExportSink, Signal } from './export-sink.ts'
import type { GroupCommit } from './journal/group-commit.ts'
import { DecodeOutcome } from './otlp/decode-outcome.ts'
import type { TelemetryBlocks } from './otlp/telemetry-blocks.ts'
import { type TimeWindow, timeWindowAt } from './otlp/time-window.ts'
import { WriteOutcome } from './prometheus/write-outcome.ts'
import type { WriteSink } from './prometheus/write-sink.ts'

/** What a sink works with. */
export interface ExportSinkOptions {
  readonly blocks: TelemetryBlocks
  readonly commit: GroupCommit
  readonly clock: Clock
  readonly registry: Registry
  /** Counts what the sink refuses. */
  readonly refusals: Refusals
  /** How old telemetry may be, milliseconds, per signal: what retention would drop at once is refused. */
  readonly maxAgeMs: Readonly<Record<Signal, number>>
  /** How far ahead a sender's clock may be, milliseconds. */
  readonly maxFutureMs: number
  /** Bytes in the journal that are not in ClickHouse yet. */
  readonly journalBytes: () => number
  /** The most there may be. */
  readonly maxJournalBytes: number
  /**
   * Rows that may gather for one record of the journal. A message of tiny items becomes many times its size in columns, so
   * that a bound on the messages' bytes alone would not bound the memory. Default: 500,000.
   */
  readonly maxGatheredRows?: number
}

const DAY_MS = 86_400_000
const ITEMS: Readonly<Record<Signal, string>> = {
  traces: 'spans',
  metrics: 'data points',
  logs: 'log records',
}
const JOURNAL_FULL_RETRY_MS = 5_000
const MAX_GATHERED_ROWS = 500_000

/** Makes the sink that decodes into blocks and acknowledges when the journal has them: of OTLP, and of Prometheus' remote write. */
export function createExportSink(options: ExportSinkOptions): ExportSink & WriteSink {
  const { blocks, commit, clock, refusals } = options
  const accepted = createAcceptedCounter(options.registry)
  const decoders = { traces: blocks.decodeTraces, metrics: blocks.decodeMetrics, logs: blocks.decodeLogs }

  /** Throws JOURNAL_FULL or OVERLOADED when no message can be taken now. */
  function assertRoom(): void {
    if (options.journalBytes() + commit.pendingBytes() >= options.maxJournalBytes) {
      throw new AppError('JOURNAL_FULL', 'Cannot take the message: the journal is full', {
        retryAfterMs: JOURNAL_FULL_RETRY_MS,
      })
    }
    if (blocks.rows() >= (options.maxGatheredRows ?? MAX_GATHERED_ROWS)) {
      throw new AppError('OVERLOADED', 'Cannot take the message: too much waits to be written to the journal')
    }
  }

  /** Lets `run` decode a message into the blocks, which are as before when it throws, and when there is no room for it. */
  function decode(signal: Signal, tenant: string, run: (tenantId: number, window: TimeWindow) => void): void {
    try {
      assertRoom()
      decodeNow(signal, tenant, run)
    } catch (error) {
      refusals.message(signal, error)
      throw error
    }
  }

  function decodeNow(signal: Signal, tenant: string, run: (tenantId: number, window: TimeWindow) => void) {
    const now = clock.now()
    const window: TimeWindow = timeWindowAt(now, options.maxAgeMs[signal], options.maxFutureMs)
    const tenantId = blocks.begin(tenant, Math.floor(now / DAY_MS))
    try {
      run(tenantId, window)
    } catch (error) {
      blocks.rollback()
      throw error
    }
  }

  /** Makes what was decoded durable, and counts it. */
  async function settle(
    signal: Signal,
    outcome: DecodeOutcome,
    isEmpty: boolean,
    messageBytes: number,
  ): Promise<void> {
    if (isEmpty) {
      // Its resources and keys would gather in the blocks, which only a commit empties.
      blocks.rollback()
    } else {
      try {
        await commit.commit(messageBytes)
      } catch (error) {
        // A message of metadata alone has no items, and is refused nevertheless.
        refusals.count(signal, 'journal_unwritable', Math.max(1, outcome.accepted))
        throw error
      }
    }
    accepted.inc({ signal }, outcome.accepted)
    for (const [reason, count] of outcome.reasons) refusals.count(signal, reason, count)
  }

  return {
    accept: async (signal, tenant, message): Promise<ExportResult> => {
      const outcome = new DecodeOutcome()
      decode(signal, tenant, (tenantId, window) => decoders[signal](message, tenantId, window, outcome))
      await settle(signal, outcome, outcome.accepted === 0, message.length)
      return { rejected: outcome.rejected, message: outcome.message(ITEMS[signal]) }
    },
    acceptWrite: async (version, tenant, message) => {
      const signal = 'metrics'
      const outcome = new WriteOutcome()
      decode(signal, tenant, (tenantId, window) =>
        blocks.decodeWrite[version](message, tenantId, window, outcome),
      )
      await settle(signal, outcome, outcome.isEmpty, message.length)
      const { samples, histograms, exemplars, rejected } = outcome
      return { samples, histograms, exemplars, rejected, message: outcome.message('samples') }
    },
  }
}

function createAcceptedCounter(registry: Registry) {
  return new Counter({
    name: 'meshwatch_ingest_accepted_total',
    help: 'Spans, data points and log records acknowledged.',
    labelNames: ['signal'],
    registers: [registry],
  })
}
