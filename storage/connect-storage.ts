import type { Registry } from 'prom-client'
import type { Clock } from '../runtime/clock.ts'
import { AppError } from '../runtime/errors.ts'
import { freeNow } from '../runtime/free-now.ts'
import type { Logger } from '../runtime/logger.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import type { ClickHouseConfig } from './config.ts'
import { connectEmbedded } from './embedded/connect-embedded.ts'
import { guardFullDisk } from './guard-full-disk.ts'
import { mapClickHouseError } from './map-clickhouse-error.ts'
import { migrate } from './migrate.ts'
import { prepareInspection, prepareSelect } from './prepare-select.ts'
import { readMigrations } from './read-migrations.ts'
import { readNative } from './read-native.ts'
import { connectServer } from './server/connect-server.ts'
import type { ManagedStorage, Parameter, ReadLimits, Storage } from './storage.ts'
import { createStorageMetrics } from './storage-metrics.ts'
import { createRevisions } from './table-revisions.ts'

/** What storage needs to be opened. */
export interface ConnectStorageOptions {
  readonly config: ClickHouseConfig
  /** Where the embedded engine and its temporary files live; created when missing. */
  readonly dataDir: string
  /** The bounds of every read, unless the question asks for narrower ones. */
  readonly limits: ReadLimits
  /** Reads that run at the same time; further ones wait. */
  readonly queryConcurrency: number
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  /** Recorded with each migration that this start applies. */
  readonly programVersion?: string
}

/** DDL of retention may wait for replicas. */
const COMMAND_TIMEOUT_MS = 600_000

/**
 * Opens ClickHouse, embedded or remote as configured, with the newest schema.
 * Throws CANNOT_START with the reason in one sentence; STORAGE_UNAVAILABLE, alike, when it is a server that is away or
 * busy, so that the same may succeed later.
 */
export async function connectStorage(options: ConnectStorageOptions): Promise<ManagedStorage> {
  const { config, logger, clock } = options
  const connection = await connect(options).catch((error: unknown) => {
    throw cannotStart(error, `use ${describeTarget(config)}`, config)
  })
  try {
    const started = clock.monotonic()
    const applied = await migrate({
      connection,
      target: { database: config.database, cluster: config.cluster },
      migrations: await readMigrations(),
      programVersion: options.programVersion ?? '',
      clock,
    })
    if (applied.length > 0) {
      logger.info({ event: 'schema-migrated', applied, ms: Math.round(clock.monotonic() - started) })
    }
  } catch (error) {
    await connection.close().catch(() => undefined)
    throw cannotStart(error, `prepare the database ${config.database} of ${describeTarget(config)}`, config)
  }
  return createStorage(connection, options)
}

async function connect(options: ConnectStorageOptions): Promise<ClickHouseConnection> {
  const { config, dataDir, queryConcurrency, limits, clock, logger } = options
  if (config.url !== null) {
    return connectServer({ config: { ...config, url: config.url }, queryConcurrency })
  }
  const { database } = config
  const { maxMemoryBytes } = limits
  const embedded = await connectEmbedded({ dataDir, database, queryConcurrency, maxMemoryBytes })
  return guardFullDisk(embedded, { dataDir, database, clock, logger })
}

/** Without user, password or path: it stands in messages. */
function describeTarget(config: ClickHouseConfig): string {
  return config.url === null ? 'the embedded ClickHouse' : `ClickHouse at ${new URL(config.url).origin}`
}

/** ClickHouse's numbers for a user, password or right that somebody has to put right. */
const REFUSALS: readonly unknown[] = [192, 193, 194, 497, 516]

function cannotStart(error: unknown, what: string, config: ClickHouseConfig): AppError {
  const mapped = mapClickHouseError(error, what, false)
  if (mapped.code === 'CANNOT_START') return mapped
  const isAway =
    config.url !== null &&
    mapped.code === 'STORAGE_UNAVAILABLE' &&
    !REFUSALS.includes(mapped.details?.['clickhouseCode']) &&
    !isBadCertificate(error)
  const code = isAway ? 'STORAGE_UNAVAILABLE' : 'CANNOT_START'
  return new AppError(code, mapped.message, { cause: error })
}

/** Node's and OpenSSL's names for a server that is not trusted, or speaks no TLS. */
function isBadCertificate(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    /CERT|SELF_SIGNED|UNABLE_TO|^ERR_(TLS|SSL)|^EPROTO/.test(String(error.code))
  )
}

function createStorage(connection: ClickHouseConnection, options: ConnectStorageOptions): ManagedStorage {
  const metrics = createStorageMetrics(options.registry, options.clock)
  const revisions = createRevisions(connection.kind)
  return {
    kind: connection.kind,
    database: options.config.database,
    cluster: options.config.cluster,
    version: connection.version,
    select: <Row>(question: Parameters<Storage['select']>[0]) =>
      metrics.observe('select', question.name, async () => {
        try {
          return (await connection.query(prepareSelect(question, options.limits))) as Row[]
        } catch (error) {
          throw mapClickHouseError(error, `ask ${question.name}`, true)
        }
      }),
    selectColumns: (question) =>
      metrics.observe('select', question.name, async () => {
        try {
          const { bytes, rowsRead } = await connection.queryNative(
            prepareSelect(question, options.limits, 'columns'),
          )
          const blocks = readNative(bytes)
          freeNow(bytes)
          return { blocks, rows: blocks.reduce((sum, { rows }) => sum + rows, 0), rowsRead }
        } catch (error) {
          throw mapClickHouseError(error, `ask ${question.name}`, true)
        }
      }),
    inspect: <Row>(sql: string, params: Readonly<Record<string, Parameter>> = {}) =>
      metrics.observe('select', 'storage.inspect', async () => {
        try {
          return (await connection.query(prepareInspection(sql, params))) as Row[]
        } catch (error) {
          throw mapClickHouseError(error, 'inspect ClickHouse', true)
        }
      }),
    command: (sql, params = {}) =>
      metrics.observe('command', 'command', async () => {
        try {
          await revisions.changeAll(() =>
            connection.command({ sql, params, settings: {}, timeoutMs: COMMAND_TIMEOUT_MS }),
          )
        } catch (error) {
          throw mapClickHouseError(error, 'run a statement', false)
        }
      }),
    insertNative: (insert) =>
      metrics.observe('insert', insert.table, async () => {
        try {
          await revisions.change(insert.table, () => connection.insert(insert))
        } catch (error) {
          throw mapClickHouseError(error, `insert into ${insert.table}`, false)
        }
      }),
    revision: (table) => revisions.of(table),
    async ping() {
      try {
        await connection.ping()
      } catch (error) {
        throw mapClickHouseError(error, 'reach ClickHouse', false)
      }
    },
    close: () => connection.close(),
  }
}
