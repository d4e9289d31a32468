import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { AppError } from '../../runtime/errors.ts'
import type { ClickHouseConnection, Statement } from '../clickhouse-connection.ts'
import type { ClickHouseConfig } from '../config.ts'
import { INSERT_SETTINGS } from '../insert-settings.ts'
import { OUTPUT_SETTINGS } from '../output-settings.ts'
import { onCluster } from '../render-ddl.ts'
import { refuseOldVersion } from './minimum-version.ts'

/** What a connection to a server needs to know. */
export interface ServerOptions {
  readonly config: ClickHouseConfig & { readonly url: string }
  /** Reads at the same time; further ones wait for a free connection. */
  readonly queryConcurrency: number
}

/** An insert that has not been answered by then is tried again by the loader, under the same token. */
const INSERT_TIMEOUT_MS = 120_000
const COMMAND_TIMEOUT_MS = 600_000

/**
 * Connects to a ClickHouse server by HTTP and makes sure that it can be used: reachable, right password, new enough, and
 * that the database exists. Throws what the client throws, or CANNOT_START for a version that is too old.
 */
export async function connectServer(options: ServerOptions): Promise<ClickHouseConnection> {
  const { config } = options
  const client = (
    database: string | undefined,
    connections: number,
    timeoutMs: number,
    isCompressed = true,
  ) =>
    createClient({
      url: config.url,
      username: config.username,
      password: config.password?.reveal() ?? '',
      ...(database === undefined ? {} : { database }),
      application: 'meshwatch',
      max_open_connections: connections,
      request_timeout: timeoutMs,
      // Text shrinks tenfold. Native blocks would cost more processor time than they save on the wire.
      compression: { response: isCompressed, request: false },
      keep_alive: { enabled: true, idle_socket_ttl: 2500, eagerly_destroy_stale_sockets: true },
      // Long lists would not fit into a URL.
      use_multipart_params_auto: true,
      log: { level: ClickHouseLogLevel.OFF },
      clickhouse_settings: { ...OUTPUT_SETTINGS },
    })

  const version = await prepare(client(undefined, 1, 10_000), config)
  const queries = client(config.database, options.queryConcurrency, COMMAND_TIMEOUT_MS)
  const columns = client(config.database, options.queryConcurrency, COMMAND_TIMEOUT_MS, false)
  // Apart from the queries, so that no crowd of them keeps an insert waiting.
  const writes = client(config.database, 4, COMMAND_TIMEOUT_MS)

  const readSettings = (statement: Statement) => ({
    ...statement.settings,
    ...READ_SETTINGS,
    ...(config.cluster === null ? {} : ({ distributed_product_mode: 'global' } as const)),
  })

  return {
    kind: 'server',
    version,
    async query(statement) {
      return withDeadline(statement, async (signal) => {
        const result = await queries.query({
          query: statement.sql,
          format: 'JSONEachRow',
          query_params: { ...statement.params },
          abort_signal: signal,
          clickhouse_settings: readSettings(statement),
        })
        return await result.json<unknown>()
      })
    },
    async queryNative(statement) {
      return withDeadline(statement, async (signal) => {
        const { stream, summary } = await columns.exec({
          query: `${statement.sql}\nFORMAT Native`,
          query_params: { ...statement.params },
          abort_signal: signal,
          clickhouse_settings: readSettings(statement),
        })
        const chunks: Buffer[] = []
        for await (const chunk of stream) chunks.push(chunk as Buffer)
        return {
          bytes: Buffer.concat(chunks),
          rowsRead: summary === undefined ? null : Number(summary.read_rows),
        }
      })
    },
    async command(statement) {
      await withDeadline(statement, (signal) =>
        writes.command({
          query: statement.sql,
          query_params: { ...statement.params },
          abort_signal: signal,
          clickhouse_settings: { ...statement.settings },
        }),
      )
    },
    async insert(insert) {
      const columns = insert.columns.map(({ name }) => `\`${name}\``).join(', ')
      await withDeadline({ timeoutMs: INSERT_TIMEOUT_MS }, async (signal) => {
        const { stream } = await writes.exec({
          query: `INSERT INTO ${insert.table} (${columns}) FORMAT Native`,
          values: Readable.from(insert.blocks, { objectMode: false }),
          abort_signal: signal,
          clickhouse_settings: {
            ...INSERT_SETTINGS,
            insert_deduplication_token: insert.deduplicationToken,
            ...(config.cluster === null ? {} : { insert_distributed_sync: 1 }),
          },
        })
        await finished(stream.resume())
      })
    },
    async ping() {
      // The path /ping needs no password, so it would call a server well that refuses every query.
      await withDeadline({ timeoutMs: 2000 }, async (signal) => {
        const answer = await writes.ping({ select: true, abort_signal: signal })
        if (!answer.success) throw answer.error
      })
    },
    async close() {
      await Promise.all([queries.close(), columns.close(), writes.close()])
    },
  }
}

/** Answers come whole or as an error, and the server stops when nobody waits any more. */
const READ_SETTINGS = {
  wait_end_of_query: 1,
  readonly: '2',
  cancel_http_readonly_queries_on_client_close: 1,
} as const

/** The version, after everything that can be wrong with a server has been looked at. */
async function prepare(client: ClickHouseClient, config: ClickHouseConfig): Promise<string> {
  try {
    const answer = await client.query({ query: 'SELECT version() AS version', format: 'JSONEachRow' })
    const version = (await answer.json<{ version: string }>())[0]?.version ?? ''
    refuseOldVersion(version)
    const found = await client.query({
      query: 'SELECT name FROM system.databases WHERE name = {name:String}',
      query_params: { name: config.database },
      format: 'JSONEachRow',
    })
    // A user without the right to create databases can be given one.
    if ((await found.json()).length === 0) {
      const where = config.cluster === null ? '' : ` ${onCluster(config.cluster)}`
      await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${config.database}${where}` })
    }
    return version
  } finally {
    await client.close()
  }
}

/** Gives `work` a signal that fires when the caller goes or the time is up, and says which it was. */
async function withDeadline<T>(
  wait: Pick<Statement, 'timeoutMs' | 'signal'>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(wait.timeoutMs)
  try {
    return await work(wait.signal === undefined ? deadline : AbortSignal.any([deadline, wait.signal]))
  } catch (error) {
    if (wait.signal?.aborted) throw new AppError('CANCELLED', 'Cannot answer: the caller has gone')
    if (deadline.aborted) {
      throw new AppError('QUERY_TIMEOUT', `Cannot answer: no result within ${wait.timeoutMs} ms`, {
        cause: error,
      })
    }
    throw error
  }
}
