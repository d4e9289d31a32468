import { randomBytes } from 'node:crypto'
import { type Block, createBlock } from '../native/block.ts'
import { Interner } from '../native/interner.ts'
import { createWriteDecoders, type WriteDecoders } from '../prometheus/create-write-decoders.ts'
import { createSampleBlocks, createSampleColumns } from '../prometheus/sample-blocks.ts'
import { NO_SERIES_LIMIT, type SeriesLimiter } from '../series-limit/series-limiter.ts'
import { AttributeKeyRegistry } from './attribute-key-registry.ts'
import { createLogDecoder } from './decode-logs.ts'
import { createMetricDecoder } from './decode-metrics.ts'
import { createTraceDecoder, type DecodeMessage, type DecoderParts } from './decode-traces.ts'
import { internKnownKeys } from './known-keys.ts'
import { createLogColumns } from './log-block.ts'
import { createMetricBlocks, createMetricColumns } from './metric-blocks.ts'
import { createAttributeKeyColumns, createOriginColumns } from './origin-block.ts'
import { OriginRegistry } from './origin-registry.ts'
import { SeriesRegistry } from './series-registry.ts'
import { createSpanColumns } from './span-block.ts'
import { TargetInfo } from './target-info.ts'
import { WireReader } from './wire-reader.ts'

/** Beyond this the interners start anew between two batches: senders choose what they hold. */
const MAX_INTERNED = 200_000
const MAX_INTERNED_BYTES = 16 << 20

/** The blocks of one batch, filled by decoders, written together and emptied. */
export interface TelemetryBlocks {
  readonly blocks: readonly Block[]
  readonly decodeTraces: DecodeMessage
  readonly decodeMetrics: DecodeMessage
  readonly decodeLogs: DecodeMessage
  /** Decoders of Prometheus' remote write, by its version. */
  readonly decodeWrite: WriteDecoders['decode']
  /** Says whose message comes next, on which day (since the epoch); returns the tenant's number. Remembers the rows so far. */
  begin(tenant: string, day: number): number
  /** Takes back everything since {@link begin}. */
  rollback(): void
  /** Rows over all blocks. */
  rows(): number
  /**
   * Empties the blocks. `areWritten` false: what they held, or what the batch before them held, did not reach the disk, and
   * everything that is written once must be written again.
   */
  reset(areWritten: boolean): void
}

/** Makes empty blocks of all tables with their decoders. */
export function createTelemetryBlocks(options: {
  readonly maxAttributes: number
  /** Says which series are taken; default: all. */
  readonly limiter?: SeriesLimiter
}): TelemetryBlocks {
  const seed = randomBytes(4).readInt32LE()
  const text = new Interner(seed)
  const binary = new Interner(seed, false)
  internKnownKeys(text)
  const originColumns = createOriginColumns(text)
  const keyColumns = createAttributeKeyColumns(text)
  const spanColumns = createSpanColumns(text, binary)
  const logColumns = createLogColumns(text, binary)
  const metricColumns = createMetricColumns(text, binary)
  const sampleColumns = createSampleColumns(text)
  const reader = new WireReader()
  const { maxAttributes, limiter = NO_SERIES_LIMIT } = options
  const keys = new AttributeKeyRegistry(text, keyColumns)
  const origins = new OriginRegistry({ text, binary, columns: originColumns, keys, reader, maxAttributes })
  const series = new SeriesRegistry({
    reader,
    text,
    binary,
    keys,
    seed,
    columns: metricColumns.series,
    promColumns: metricColumns.promSeries,
    maxAttributes,
    limiter,
  })
  const targets = new TargetInfo({
    text,
    columns: sampleColumns.samples,
    seriesColumns: metricColumns.promSeries,
    limiter,
  })
  const write = createWriteDecoders({
    reader,
    text,
    seed,
    columns: sampleColumns,
    seriesColumns: metricColumns.promSeries,
    exemplarColumns: metricColumns.exemplars,
    limiter,
  })
  const parts: DecoderParts = { reader, text, origins, keys, maxAttributes }
  const blocks = [
    createBlock('origins', originColumns),
    createBlock('attribute_keys', keyColumns),
    createBlock('spans', spanColumns),
    createBlock('logs', logColumns),
    ...createMetricBlocks(metricColumns),
    ...createSampleBlocks(sampleColumns),
  ]
  const forget = () => {
    origins.forget()
    keys.forget()
    series.forget()
    targets.forget()
    write.forget()
  }
  /** Call when no block has rows. */
  const renewInterners = () => {
    if (text.size <= MAX_INTERNED && text.arena.length <= MAX_INTERNED_BYTES && binary.size <= MAX_INTERNED) {
      return
    }
    // The columns' dictionaries refer to the numbers of before.
    for (const block of blocks) block.reset()
    text.clear()
    binary.clear()
    internKnownKeys(text)
  }
  const rows = () => blocks.reduce((sum, block) => sum + block.rows(), 0)
  return {
    blocks,
    decodeTraces: createTraceDecoder(parts, spanColumns),
    decodeMetrics: createMetricDecoder(parts, metricColumns, series, targets),
    decodeLogs: createLogDecoder(parts, logColumns),
    decodeWrite: write.decode,
    begin: (tenant, day) => {
      // Messages of which nothing is taken fill the interners too, and no batch is written after them.
      if (rows() === 0) renewInterners()
      for (const block of blocks) block.mark()
      const tenantId = text.internText(tenant)
      keys.begin(tenant, tenantId, day)
      origins.begin(tenant, tenantId, day)
      limiter.begin(tenant, day)
      series.begin(tenant, tenantId, day)
      targets.begin(tenant, tenantId, day)
      write.begin(tenant, tenantId, day)
      return tenantId
    },
    rollback: () => {
      for (const block of blocks) block.rollback()
      origins.rollback()
      keys.rollback()
      series.rollback()
      targets.rollback()
      limiter.rollback()
      write.rollback()
    },
    rows,
    reset: (areWritten) => {
      for (const block of blocks) block.reset()
      if (!areWritten) forget()
      renewInterners()
    },
  }
}
