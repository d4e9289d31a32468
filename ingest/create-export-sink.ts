import { Counter, type Registry } from 'prom-client'
import type { Clock } from '../runtime/clock.ts'
import { AppError } from '../runtime/errors.ts'
import type { ExportResult, ExportSink, Signal } from './export-sink.ts'
import type { GroupCommit } from './journal/group-commit.ts'
import { DecodeOutcome } from './otlp/decode-outcome.ts'
import type { TelemetryBlocks } from './otlp/telemetry-blocks.ts'
import { type TimeWindow, timeWindowAt } from './otlp/time-window.ts'

/** What a sink works with. */
export interface ExportSinkOptions {
  readonly blocks: TelemetryBlocks
  readonly commit: GroupCommit
  readonly clock: Clock
  readonly registry: Registry
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

/** Makes the sink that decodes into blocks and acknowledges when the journal has them. */
export function createExportSink(options: ExportSinkOptions): ExportSink {
  const { blocks, commit, clock } = options
  const metrics = createSinkMetrics(options.registry)
  const decoders = { traces: blocks.decodeTraces, metrics: blocks.decodeMetrics, logs: blocks.decodeLogs }

  function decode(signal: Signal, tenant: string, message: Uint8Array): DecodeOutcome {
    const now = clock.now()
    const outcome = new DecodeOutcome()
    const window: TimeWindow = timeWindowAt(now, options.maxAgeMs[signal], options.maxFutureMs)
    const tenantId = blocks.begin(tenant, Math.floor(now / DAY_MS))
    try {
      decoders[signal](message, tenantId, window, outcome)
    } catch (error) {
      blocks.rollback()
      metrics.refused.inc({ signal, reason: 'malformed' })
      throw error
    }
    return outcome
  }

  return {
    accept: async (signal, tenant, message): Promise<ExportResult> => {
      if (options.journalBytes() + commit.pendingBytes() >= options.maxJournalBytes) {
        metrics.refused.inc({ signal, reason: 'journal_full' })
        throw new AppError('JOURNAL_FULL', 'Cannot take the message: the journal is full', {
          retryAfterMs: JOURNAL_FULL_RETRY_MS,
        })
      }
      if (blocks.rows() >= (options.maxGatheredRows ?? MAX_GATHERED_ROWS)) {
        metrics.refused.inc({ signal, reason: 'overloaded' })
        throw new AppError(
          'OVERLOADED',
          'Cannot take the message: too much waits to be written to the journal',
        )
      }
      const outcome = decode(signal, tenant, message)
      if (outcome.accepted === 0) {
        // Its resources and keys would gather in the blocks, which only a commit empties.
        blocks.rollback()
      } else {
        try {
          await commit.commit(message.length)
        } catch (error) {
          metrics.refused.inc({ signal, reason: 'journal_unwritable' }, outcome.accepted)
          throw error
        }
      }
      metrics.accepted.inc({ signal }, outcome.accepted)
      for (const [reason, count] of outcome.reasons) metrics.refused.inc({ signal, reason }, count)
      return { rejected: outcome.rejected, message: outcome.message(ITEMS[signal]) }
    },
  }
}

function createSinkMetrics(registry: Registry) {
  const registers = [registry]
  return {
    accepted: new Counter({
      name: 'meshwatch_ingest_accepted_total',
      help: 'Spans, data points and log records acknowledged.',
      labelNames: ['signal'],
      registers,
    }),
    refused: new Counter({
      name: 'meshwatch_ingest_refused_total',
      help: 'Spans, data points and log records refused; whole messages where the reason is malformed, journal_full or overloaded.',
      labelNames: ['signal', 'reason'],
      registers,
    }),
  }
}
