import type { Interner } from '../native/interner.ts'
import type { MetricColumns } from '../otlp/metric-blocks.ts'
import type { WireReader } from '../otlp/wire-reader.ts'
import type { SeriesLimiter } from '../series-limit/series-limiter.ts'
import { createWriteV1Decoder, type DecodeWrite } from './decode-write-v1.ts'
import { createWriteV2Decoder } from './decode-write-v2.ts'
import { MetadataRegistry } from './metadata-registry.ts'
import type { SampleColumns } from './sample-blocks.ts'
import { SampleRows } from './sample-rows.ts'
import { SampleSeriesRegistry } from './sample-series-registry.ts'
import { ToldMetadata } from './told-metadata.ts'
import { WriteOutcome } from './write-outcome.ts'
import type { WriteVersion } from './write-version.ts'

/** What decoders of remote write work with. */
export interface WriteDecodersOptions {
  readonly reader: WireReader
  /** Numbers the strings of all columns. */
  readonly text: Interner
  readonly columns: SampleColumns
  readonly seriesColumns: MetricColumns['promSeries']
  readonly exemplarColumns: MetricColumns['exemplars']
  /** Makes collisions unpredictable to senders. */
  readonly seed: number
  /** Says which series are taken; it is told elsewhere whose message follows. */
  readonly limiter: SeriesLimiter
}

/** Decoders of remote write, and what they remember of series and metrics. */
export interface WriteDecoders {
  readonly decode: Readonly<Record<WriteVersion, DecodeWrite>>
  /** Says whose message follows (number in `text`) and on which day (days since the epoch) it came. */
  begin(tenant: string, tenantId: number, day: number): void
  /** What was written once since {@link begin} is taken back, and will be written again. */
  rollback(): void
  /** Writes what is written once anew: it may not have reached the disk. */
  forget(): void
}

/** Makes the decoders of both versions; they know the same series. */
export function createWriteDecoders(options: WriteDecodersOptions): WriteDecoders {
  const { reader, text, columns, seriesColumns, exemplarColumns, seed } = options
  const series = new SampleSeriesRegistry({ text, columns: seriesColumns, seed, limiter: options.limiter })
  const metadata = new MetadataRegistry({ text, columns: columns.metadata, seed })
  const rows = new SampleRows({ reader, text, series, columns, exemplarColumns }, new WriteOutcome())
  const toldMetadata = new ToldMetadata(seed)
  const parts = { reader, series, rows, metadata, toldMetadata }
  return {
    decode: { 1: createWriteV1Decoder(parts), 2: createWriteV2Decoder(parts, seed) },
    begin: (tenant, tenantId, day) => {
      series.begin(tenant, tenantId, day)
      metadata.begin(tenant, tenantId, day)
      toldMetadata.begin(tenant, day)
    },
    rollback: () => {
      series.rollback()
      metadata.rollback()
      toldMetadata.forget()
    },
    forget: () => {
      series.forget()
      metadata.forget()
      toldMetadata.forget()
    },
  }
}
