import { join, resolve } from 'node:path'
import { drainPending } from 'chdb'
import type { ClickHouseConnection, NativeAnswer, Statement } from '../clickhouse-connection.ts'
import { quoteString } from '../format-parameter.ts'
import { type EngineLane, openEngineLane } from './engine-lane.ts'
import { createInsertFile, removeInsertFiles } from './insert-file.ts'
import { insertStatement } from './insert-statement.ts'
import { createLanePool } from './lane-pool.ts'
import { openEngine } from './open-engine.ts'
import { renderStatement } from './render-statement.ts'

/** What the embedded engine needs to know. */
export interface EmbeddedOptions {
  /** Created when missing; holds `clickhouse/` (the engine's) and `tmp/`. */
  readonly dataDir: string
  readonly database: string
  /** Statements that run at the same time. */
  readonly queryConcurrency: number
  /** Memory of one statement, bytes: the engine as a whole gets somewhat more. */
  readonly maxMemoryBytes: number
}

/** Callers that may wait for each query lane before the next is turned away. */
const WAITING_PER_LANE = 32

/** An insert is never given up: the engine would go on reading a file that is no longer there. */
const NO_TIMEOUT_MS = 2 ** 31 - 1

/** How often it is tried to stop a statement that nobody waits for: it may not have begun yet. */
const KILL_PERIOD_MS = 100

/** Opens the engine in this process. Throws CANNOT_START when the data directory cannot be used. */
export async function connectEmbedded(options: EmbeddedOptions): Promise<ClickHouseConnection> {
  const path = join(resolve(options.dataDir), 'clickhouse')
  const temporaryDir = join(resolve(options.dataDir), 'tmp')
  const engine = await openEngine({ path, temporaryDir, maxMemoryBytes: options.maxMemoryBytes })
  await removeInsertFiles(temporaryDir)
  await engine.queryAsync(`CREATE DATABASE IF NOT EXISTS ${options.database}`)
  const version = (await engine.queryAsync('SELECT version()', { format: 'TabSeparated' })).text().trim()

  const lane = () => openEngineLane(path, options.database)
  const queries = createLanePool(
    'query',
    Array.from({ length: options.queryConcurrency }, lane),
    WAITING_PER_LANE * options.queryConcurrency,
  )
  const inserts = createLanePool('insert', [lane()], 1000)
  const maintenance = createLanePool('maintenance', [lane()], 1000)
  let nextTicket = 0

  const kill = (ticket: string) => {
    // The engine settles the statement by itself when this fails: every statement has a time limit of its own.
    engine
      .queryAsync(`KILL QUERY WHERE Settings['log_comment'] = ${quoteString(ticket)} ASYNC`)
      .catch(() => undefined)
  }

  const ask = (statement: Statement, format: string): Promise<NativeAnswer> => {
    const ticket = `meshwatch-${nextTicket++}`
    const sql = `${renderStatement(statement, ticket)} FORMAT ${format}`
    let killing: NodeJS.Timeout | undefined
    const work = (free: EngineLane) => free.run(sql).finally(() => clearInterval(killing))
    return queries.run(work, {
      timeoutMs: statement.timeoutMs,
      signal: statement.signal,
      onAbandoned: () => {
        kill(ticket)
        killing = setInterval(kill, KILL_PERIOD_MS, ticket)
      },
    })
  }

  return {
    kind: 'embedded',
    version,
    async query(statement) {
      const { bytes } = await ask(statement, 'JSONEachRow')
      return parseRows(bytes.toString('utf8'))
    },
    queryNative: (statement) => ask(statement, 'Native'),
    async command(statement) {
      await maintenance.run((free) => free.run(renderStatement(statement)), statement)
    },
    async insert(insert) {
      const file = await createInsertFile(temporaryDir, insert.blocks)
      try {
        const sql = insertStatement(insert, file.path)
        await inserts.run((free) => free.run(sql), { timeoutMs: NO_TIMEOUT_MS })
      } finally {
        await file.remove()
      }
    },
    async ping() {
      await engine.queryAsync('SELECT 1', { timeout: 2000 })
    },
    async close() {
      await Promise.all([queries.close(), inserts.close(), maintenance.close()])
      engine.close()
      await drainPending()
    },
  }
}

function parseRows(text: string): unknown[] {
  if (text === '') return []
  const lines = text.endsWith('\n') ? text.slice(0, -1) : text
  return JSON.parse(`[${lines.replaceAll('\n', ',')}]`) as unknown[]
}
