import { z } from 'zod'
import { byteSizeSetting } from '../model/config-values.ts'

const port = z.int().min(0).max(65_535)
const host = z.string().min(1).default('127.0.0.1')
const atLeastOneMiB = byteSizeSetting.refine((bytes) => bytes >= 2 ** 20, {
  message: 'expected a size of at least 1MiB',
})

/** Section `ingest`: the OTLP listeners, the journal, and the bounds of what is taken. Sizes in bytes. */
export const ingestConfig = z.strictObject({
  otlpHttp: z.strictObject({ host, port: port.default(4318) }).prefault({}),
  otlpGrpc: z.strictObject({ host, port: port.default(4317) }).prefault({}),
  journal: z
    .strictObject({
      /** null: `journal` inside the data directory. */
      dir: z.string().min(1).nullable().default(null),
      /** Senders are asked to wait when the journal holds this much that is not in ClickHouse yet. */
      maxSize: atLeastOneMiB.prefault('4GiB'),
      /** False: acknowledge before the disk has it. A power cut may then lose what was acknowledged. */
      fsync: z.boolean().default(true),
    })
    .prefault({}),
  /** Largest export request, compressed or not. */
  maxMessageSize: atLeastOneMiB.prefault('16MiB'),
  /** Bytes of requests being handled at once; more are asked to come again. */
  maxInFlight: atLeastOneMiB.prefault('256MiB'),
  /** Series of metrics that a tenant may have today and yesterday; new ones beyond are refused, the others go on. 0: no limit. */
  seriesLimit: z
    .strictObject({
      global: z.int().min(0).max(100_000_000).default(5_000_000),
      perMetric: z.int().min(0).max(100_000_000).default(1_000_000),
    })
    .prefault({}),
})

/** Section `ingest`, parsed. */
export type IngestConfig = Readonly<z.output<typeof ingestConfig>>
