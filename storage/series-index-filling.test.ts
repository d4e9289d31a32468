import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { type ClickHouseServer, startClickHouseServer } from '../test/support/clickhouse-server.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { clickHouseConfig } from './config.ts'
import { migrate } from './migrate.ts'
import { type Migration, readMigrations } from './read-migrations.ts'
import { connectServer } from './server/connect-server.ts'

const BEFORE = 9

let server: ClickHouseServer
let connection: ClickHouseConnection

beforeAll(async () => {
  server = await startClickHouseServer()
  const config = clickHouseConfig.parse({ url: server.url, database: 'filled' })
  connection = await connectServer({ config: { ...config, url: server.url }, queryConcurrency: 2 })
})
afterAll(async () => {
  await connection?.close()
  await server?.remove()
})

function run(migrations: readonly Migration[]): Promise<number[]> {
  return migrate({
    connection,
    target: { database: 'filled', cluster: null },
    migrations,
    programVersion: '1',
    clock: systemClock,
  })
}

async function ask(sql: string): Promise<unknown[]> {
  return connection.query({ sql, params: {}, settings: {}, timeoutMs: 30_000 })
}

async function insert(columns: string, values: string): Promise<void> {
  const sql = `INSERT INTO prom_series (tenant, name, id, day, kind, metric, unit, labels) SELECT ${columns} FROM (${values})`
  await connection.command({ sql, params: {}, settings: {}, timeoutMs: 30_000 })
}

test('series that were stored before the index are in it, once, and so are later ones', async () => {
  const all = await readMigrations()
  await run(all.slice(0, BEFORE))
  const today =
    "'a', name, sipHash128(name), day, kind, concat('raw_', name), 's', map('job', job, 'pod', pod)"
  await insert(
    today,
    `SELECT 'up' AS name, 'sample' AS kind, 'j1' AS job, 'p1' AS pod, arrayJoin([today(), yesterday(), today() - 9]) AS day
UNION ALL SELECT 'size', 'gauge', 'j2', 'p2', today()`,
  )
  await run(all)
  const rows = () =>
    ask(`SELECT name, job, any(kind) AS what, labels['pod'] AS pod, max(day) = today() AS isToday, min(first_seen) < now() - 86400 AS isOld
FROM prom_index GROUP BY name, job, pod ORDER BY name, job`)
  const stored = [
    { name: 'size', job: 'j2', what: 'gauge', pod: 'p2', isToday: 1, isOld: 0 },
    { name: 'up', job: 'j1', what: 'sample', pod: 'p1', isToday: 1, isOld: 1 },
  ]
  expect(await rows()).toEqual(stored)
  const values = () => ask('SELECT DISTINCT label, value FROM prom_label_values ORDER BY label, value')
  expect(await values()).toHaveLength(4)
  expect(await ask('SELECT DISTINCT name, metric, unit FROM prom_descriptions')).toEqual([
    { name: 'size', metric: 'raw_size', unit: 's' },
  ])
  // A migrator that was killed does the same again.
  await connection.command({
    sql: 'ALTER TABLE schema_migrations DELETE WHERE number > 9 SETTINGS mutations_sync = 1',
    params: {},
    settings: {},
    timeoutMs: 30_000,
  })
  expect(await run(all)).toEqual(all.slice(BEFORE).map(({ number }) => number))
  await insert(today, "SELECT 'up' AS name, 'sample' AS kind, 'j3' AS job, 'p3' AS pod, today() AS day")
  expect(await rows()).toEqual([
    ...stored,
    { name: 'up', job: 'j3', what: 'sample', pod: 'p3', isToday: 1, isOld: 0 },
  ])
  expect(await values()).toHaveLength(6)
}, 60_000)
