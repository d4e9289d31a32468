import { DecodeOutcome } from '../ingest/otlp/decode-outcome.ts'
import { createTelemetryBlocks } from '../ingest/otlp/telemetry-blocks.ts'
import type { NativeInsert, Storage } from '../storage/storage.ts'
import type { ReusableMessage } from './reusable-message.ts'

/** Decodes messages into Native blocks, as the receiver does. */
export interface SpanBlocks {
  /** Decodes a message that is received at `nowMs` (epoch). Throws when a span of it is refused. */
  add(message: ReusableMessage, nowMs: number): void
  /** Spans since the last {@link SpanBlocks.take}. */
  spans(): number
  /** The blocks of every table with rows, ready to insert; begins anew. */
  take(token: string): NativeInsert[]
}

const DAY_MS = 86_400_000

/** Makes empty blocks. */
export function createSpanBlocks(): SpanBlocks {
  const telemetry = createTelemetryBlocks({ maxAttributes: 1024 })
  let spans = 0
  return {
    add: (message, nowMs) => {
      const tenant = telemetry.begin('default', Math.floor(nowMs / DAY_MS))
      const outcome = new DecodeOutcome()
      const window = { fromMs: nowMs - 7 * DAY_MS, toMs: nowMs + 600_000, nowMs }
      telemetry.decodeTraces(message.bytes, tenant, window, outcome)
      if (outcome.rejected > 0) throw new Error(outcome.message('spans'))
      spans += outcome.accepted
    },
    spans: () => spans,
    take: (token) => {
      const inserts = telemetry.blocks
        .filter((block) => block.rows() > 0)
        .map((block) => {
          const bytes = Buffer.allocUnsafe(block.byteLength())
          return {
            table: block.table,
            columns: block.structure,
            blocks: [bytes.subarray(0, block.writeTo(bytes, 0))],
            rows: block.rows(),
            deduplicationToken: `${token}-${block.table}`,
          }
        })
      telemetry.reset(true)
      spans = 0
      return inserts
    },
  }
}

/** Inserts what {@link SpanBlocks.take} gave; returns how long it took in milliseconds. */
export async function insertBlocks(storage: Storage, inserts: readonly NativeInsert[]): Promise<number> {
  const begun = performance.now()
  for (const insert of inserts) await storage.insertNative(insert)
  return performance.now() - begun
}
