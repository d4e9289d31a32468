import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { type ClickHouseServer, startClickHouseServer } from '../test/support/clickhouse-server.ts'
import type { ClickHouseConnection, Statement } from './clickhouse-connection.ts'
import { clickHouseConfig } from './config.ts'
import { migrate } from './migrate.ts'
import type { Migration } from './read-migrations.ts'
import { connectServer } from './server/connect-server.ts'

const MIGRATIONS = [migration(1, 'CREATE TABLE a (x UInt8)'), migration(2, 'CREATE TABLE b (x UInt8)')]

let server: ClickHouseServer
let database: string
let count = 0
const opened: ClickHouseConnection[] = []

beforeAll(async () => {
  server = await startClickHouseServer()
})
beforeEach(() => {
  database = `migrated_${count++}`
})
afterAll(async () => {
  await Promise.all(opened.map((connection) => connection.close()))
  await server.remove()
})

async function connect(): Promise<ClickHouseConnection> {
  const config = clickHouseConfig.parse({ url: server.url, database })
  const connection = await connectServer({ config: { ...config, url: server.url }, queryConcurrency: 2 })
  opened.push(connection)
  return connection
}

function migration(number: number, create: string): Migration {
  const sql = `${create} ENGINE = MergeTree\nORDER BY x;`
  return { number, name: `step-${number}`, sql: create.startsWith('CREATE') ? sql : create, checksum: create }
}

function run(connection: ClickHouseConnection, migrations: readonly Migration[], more: object = {}) {
  return migrate({
    connection,
    target: { database, cluster: null },
    migrations,
    programVersion: '1.2.3',
    clock: systemClock,
    ...more,
  })
}

async function rows(connection: ClickHouseConnection, sql: string): Promise<unknown[]> {
  return connection.query({ sql, params: {}, settings: {}, timeoutMs: 30_000 })
}

async function tables(connection: ClickHouseConnection): Promise<string[]> {
  const found = await rows(
    connection,
    `SELECT name FROM system.tables WHERE database = '${database}' ORDER BY name`,
  )
  return (found as { name: string }[]).map(({ name }) => name)
}

describe('migrate', () => {
  test('applies each migration once, in order, and records it', async () => {
    const connection = await connect()
    expect(await run(connection, MIGRATIONS.slice(0, 1))).toEqual([1])
    expect(await run(connection, MIGRATIONS)).toEqual([2])
    expect(await run(connection, MIGRATIONS)).toEqual([])
    expect(
      await rows(connection, 'SELECT number, name, program_version FROM schema_migrations ORDER BY number'),
    ).toEqual([
      { number: 1, name: 'step-1', program_version: '1.2.3' },
      { number: 2, name: 'step-2', program_version: '1.2.3' },
    ])
    expect(await tables(connection)).toEqual(['a', 'b', 'schema_migrations'])
  })

  test('by several processes at once is done by one', async () => {
    const connections = await Promise.all([connect(), connect(), connect(), connect()])
    // Creating is slowed down, so that all of them meet.
    const created: string[] = []
    const watched = connections.map((connection) => ({
      ...connection,
      command: async (statement: Statement) => {
        if (/CREATE TABLE IF NOT EXISTS [ab] /.test(statement.sql)) created.push(statement.sql)
        await connection.command(statement)
      },
    }))
    const applied = await Promise.all(watched.map((each) => run(each, MIGRATIONS, { leaseMs: 3000 })))
    expect(applied.filter((numbers) => numbers.length > 0)).toEqual([[1, 2]])
    expect(created).toHaveLength(2)
    expect(await rows(watched[0] ?? fail(), 'SELECT count() AS n FROM schema_migrations')).toEqual([
      { n: '2' },
    ])
    expect(await tables(watched[0] ?? fail())).toEqual(['a', 'b', 'schema_migrations'])
  })

  test('killed between a statement and its record is finished by the next', async () => {
    const connection = await connect()
    const dying = {
      ...connection,
      command: async (statement: Statement) => {
        if (statement.sql.startsWith('INSERT')) throw new Error('killed')
        await connection.command(statement)
      },
    }
    await expect(run(dying, MIGRATIONS)).rejects.toThrow('killed')
    expect(await tables(connection)).toEqual(['a', 'schema_migrations'])
    expect(await run(connection, MIGRATIONS)).toEqual([1, 2])
  })

  test('refuses a database that is newer than the program', async () => {
    const connection = await connect()
    await run(connection, MIGRATIONS)
    await expect(run(connection, MIGRATIONS.slice(0, 1))).rejects.toMatchObject({
      code: 'CANNOT_START',
      message: `Cannot use the database ${database}: its schema 0002 is newer than this program knows (0001)`,
    })
  })

  test('refuses a database with another migration under a known number', async () => {
    const connection = await connect()
    await run(connection, MIGRATIONS)
    const other = [migration(1, 'CREATE TABLE a (x UInt16)'), ...MIGRATIONS.slice(1)]
    await expect(run(connection, other)).rejects.toMatchObject({
      code: 'CANNOT_START',
      message: `Cannot use the database ${database}: its schema 0001 (step-1) is not the one this program knows by that number`,
    })
  })
})

describe('the lease of a schema', () => {
  const lock = (number: number, expiresAtMs: number) => ({
    sql: `CREATE TABLE schema_lock_${number} (a UInt8) ENGINE = Null COMMENT '{"holder":"x","expiresAtMs":${expiresAtMs}}'`,
    params: {},
    settings: {},
    timeoutMs: 30_000,
  })

  test('of a holder that died is taken over when it has expired', async () => {
    const connection = await connect()
    await connection.command(lock(7, Date.now() - 1))
    expect(await run(connection, MIGRATIONS)).toEqual([1, 2])
    expect(await tables(connection)).toEqual(['a', 'b', 'schema_migrations'])
  })

  test('that somebody holds is waited for, not for ever', async () => {
    const connection = await connect()
    await connection.command(lock(1, Date.now() + 60_000))
    await expect(run(connection, MIGRATIONS, { leaseMs: 600, patienceMs: 50 })).rejects.toMatchObject({
      code: 'CANNOT_START',
      message: `Cannot prepare the database ${database}: another process has been changing its schema for 50ms`,
    })
    expect(await tables(connection)).toEqual(['schema_lock_1'])
  })

  test('is renewed while the work goes on', async () => {
    const connection = await connect()
    const expiries = new Set<string>()
    const slow = {
      ...connection,
      command: async (statement: Statement) => {
        await connection.command(statement)
        if (!/CREATE TABLE IF NOT EXISTS a /.test(statement.sql)) return
        await expect
          .poll(
            async () => {
              const found = await rows(
                connection,
                `SELECT comment FROM system.tables WHERE database = '${database}' AND name = 'schema_lock_1'`,
              )
              expiries.add(JSON.stringify(found))
              return expiries.size
            },
            { timeout: 30_000 },
          )
          .toBeGreaterThan(1)
      },
    }
    await run(slow, MIGRATIONS, { leaseMs: 300 })
    expect(await tables(connection)).toEqual(['a', 'b', 'schema_migrations'])
  })
})

function fail(): never {
  throw new Error('no connection')
}
