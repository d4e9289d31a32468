import { z } from 'zod'
import { parseByteSize } from '../model/byte-size.ts'
import { parseDuration } from '../model/duration.ts'
import { secretSchema } from '../runtime/secret.ts'
import type { ReadLimits } from './storage.ts'

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== null) return ms
  context.addIssue({ code: 'custom', message: 'expected a duration such as 30s, 1h30m or 7d' })
  return z.NEVER
})

const byteSize = z.union([z.string(), z.int().nonnegative()]).transform((value, context) => {
  const bytes = parseByteSize(String(value))
  if (bytes !== null) return bytes
  context.addIssue({ code: 'custom', message: 'expected a size such as 512MiB, 2GiB or a number of bytes' })
  return z.NEVER
})

const retentionPeriod = duration.refine((ms) => ms >= 86_400_000 && ms % 86_400_000 === 0, {
  message: 'expected whole days, at least 1d',
})

const identifier = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    'expected a name of letters, digits and _ that does not start with a digit',
  )

function isOrigin(text: string): boolean {
  // What is no URL at all has been complained about already.
  if (!URL.canParse(text)) return true
  const url = new URL(text)
  return url.href === `${url.origin}/`
}

/** Section `clickhouse`: where telemetry is stored. Without `url` the engine runs inside this process. */
export const clickHouseConfig = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .refine(isOrigin, {
      message: 'expected scheme, host and port only: user, password and database have keys of their own',
    })
    .nullable()
    .default(null),
  database: identifier.default('meshwatch'),
  username: z.string().default('default'),
  password: secretSchema.nullable().default(null),
  passwordFile: z.string().nullable().default(null),
  /** The name of a cluster in the server's `remote_servers`; null: one server. */
  cluster: identifier.nullable().default(null),
})

/** Section `clickhouse`, parsed; `passwordFile` has become `password`. */
export type ClickHouseConfig = Readonly<z.output<typeof clickHouseConfig>>

/** Section `retention`: how long telemetry is kept, milliseconds (whole days), and the free space that is defended. */
export const retentionConfig = z.strictObject({
  traces: retentionPeriod.prefault('7d'),
  metrics: retentionPeriod.prefault('30d'),
  alerts: retentionPeriod.prefault('400d'),
  /** Bytes of the data directory's volume that stay free: the oldest day is dropped below that. 0: no guard. */
  minFreeSpace: byteSize.prefault('2GiB'),
})

/** Section `retention`, parsed. */
export type RetentionConfig = Readonly<z.output<typeof retentionConfig>>

/** Section `query`: the bounds of every read. `timeout` in milliseconds, `maxMemory` in bytes. */
export const queryConfig = z.strictObject({
  timeout: duration
    .refine((ms) => ms >= 1000, { message: 'expected a duration of at least 1s' })
    .prefault('30s'),
  maxSamples: z.int().positive().default(50_000_000),
  /** Whether ClickHouse computes parts of PromQL queries: where it is cheaper, wherever it can, or nowhere. */
  path: z.enum(['auto', 'pushdown', 'raw']).default('auto'),
  maxMemory: byteSize
    .refine((bytes) => bytes >= 2 ** 26, { message: 'expected a size of at least 64MiB' })
    .prefault('2GiB'),
  maxResultRows: z.int().positive().default(1_000_000),
  concurrency: z.int().min(1).max(64).default(8),
  /** Answers of PromQL that are remembered, bytes; 0: none. */
  cache: z.strictObject({ maxSize: byteSize.prefault('256MiB') }).prefault({}),
})

/** Section `query`, parsed. */
export type QueryConfig = Readonly<z.output<typeof queryConfig>>

/** The limits of one read that section `query` asks for. */
export function readLimits(config: QueryConfig): ReadLimits {
  return {
    timeoutMs: config.timeout,
    maxMemoryBytes: config.maxMemory,
    maxResultRows: config.maxResultRows,
    maxRowsToRead: 0,
  }
}
