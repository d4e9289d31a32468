import type { Signal } from '../../ingest/export-sink.ts'
import { DecodeOutcome } from '../../ingest/otlp/decode-outcome.ts'
import { createTelemetryBlocks, type TelemetryBlocks } from '../../ingest/otlp/telemetry-blocks.ts'
import type { Storage } from '../../storage/storage.ts'
import { type NativeRow, readNative } from './read-native.ts'

/** How to decode. */
export interface DecodeOptions {
  /** When the message comes, epoch milliseconds. Times of a day around it are taken. */
  readonly now: number
  readonly tenant?: string
  readonly maxAttributes?: number
}

/** What became of one message: the outcome, and the rows by table. */
export interface DecodedMessage {
  readonly outcome: DecodeOutcome
  readonly tables: Readonly<Record<string, NativeRow[]>>
}

const DAY_MS = 86_400_000

/** Decodes messages one after the other into the same blocks, as one batch would. Throws what the decoder throws. */
export function decodeInto(
  blocks: TelemetryBlocks,
  signal: Signal,
  message: Uint8Array,
  options: DecodeOptions,
): DecodeOutcome {
  const { now, tenant = 'default' } = options
  const outcome = new DecodeOutcome()
  const decoders = { traces: blocks.decodeTraces, metrics: blocks.decodeMetrics, logs: blocks.decodeLogs }
  const tenantId = blocks.begin(tenant, Math.floor(now / DAY_MS))
  try {
    decoders[signal](message, tenantId, { fromMs: now - DAY_MS, toMs: now + DAY_MS, nowMs: now }, outcome)
  } catch (error) {
    blocks.rollback()
    throw error
  }
  return outcome
}

/** Decodes one message with fresh blocks and reads back what they hold. */
export function decodeMessageRows(
  signal: Signal,
  message: Uint8Array,
  options: DecodeOptions,
): DecodedMessage {
  const blocks = createTelemetryBlocks({ maxAttributes: options.maxAttributes ?? 128 })
  const outcome = decodeInto(blocks, signal, message, options)
  return { outcome, tables: readBlocks(blocks) }
}

/** The rows of all blocks by table; tables without rows are left out. */
export function readBlocks(blocks: TelemetryBlocks): Record<string, NativeRow[]> {
  const filled = blocks.blocks.filter((block) => block.rows() > 0)
  return Object.fromEntries(
    filled.map((block) => {
      const target = Buffer.alloc(block.byteLength())
      return [block.table, readNative(target.subarray(0, block.writeTo(target, 0)))]
    }),
  )
}

let inserts = 0

/** Decodes one message and inserts its blocks. */
export async function storeMessage(
  storage: Storage,
  signal: Signal,
  message: Uint8Array,
  options: DecodeOptions,
): Promise<DecodeOutcome> {
  const blocks = createTelemetryBlocks({ maxAttributes: options.maxAttributes ?? 128 })
  const outcome = decodeInto(blocks, signal, message, options)
  for (const block of blocks.blocks.filter((each) => each.rows() > 0)) {
    const target = Buffer.alloc(block.byteLength())
    await storage.insertNative({
      table: block.table,
      columns: block.structure,
      blocks: [target.subarray(0, block.writeTo(target, 0))],
      rows: block.rows(),
      deduplicationToken: `test-${++inserts}`,
    })
  }
  return outcome
}
