import { createTelemetryBlocks, type TelemetryBlocks } from '../../ingest/otlp/telemetry-blocks.ts'
import { WriteOutcome } from '../../ingest/prometheus/write-outcome.ts'
import { readBlocks } from './decode-message.ts'
import { encodeWriteRequest, type SentSeries, type WriteVersion } from './encode-write-request.ts'
import type { NativeRow } from './read-native.ts'

/** How to decode. */
export interface DecodeWriteOptions {
  readonly version: WriteVersion
  /** When the message comes, epoch milliseconds. Times of a day around it are taken. */
  readonly now: number
  /** Default: `default`. */
  readonly tenant?: string
}

/** What became of one message of remote write. */
export interface DecodedWrite {
  readonly outcome: WriteOutcome
  readonly tables: Readonly<Record<string, readonly NativeRow[]>>
}

const DAY_MS = 86_400_000

/** Decodes a message into blocks, as one of a batch. Throws what the decoder throws; the blocks are then as before. */
export function decodeWriteInto(
  blocks: TelemetryBlocks,
  message: Uint8Array,
  { version, now, tenant = 'default' }: DecodeWriteOptions,
): WriteOutcome {
  const outcome = new WriteOutcome()
  const tenantId = blocks.begin(tenant, Math.floor(now / DAY_MS))
  try {
    const window = { fromMs: now - DAY_MS, toMs: now + DAY_MS, nowMs: now }
    blocks.decodeWrite[version](message, tenantId, window, outcome)
  } catch (error) {
    blocks.rollback()
    throw error
  }
  return outcome
}

/** Decodes series, as one message, into blocks (default: fresh ones) and reads back what they hold; the blocks are empty afterwards. */
export function decodeWriteRows(
  series: readonly SentSeries[] | Uint8Array,
  options: DecodeWriteOptions,
  blocks = createTelemetryBlocks({ maxAttributes: 128 }),
): DecodedWrite {
  const message = series instanceof Uint8Array ? series : encodeWriteRequest(series, options.version)
  const outcome = decodeWriteInto(blocks, message, options)
  const tables = readBlocks(blocks)
  blocks.reset(true)
  return { outcome, tables }
}
