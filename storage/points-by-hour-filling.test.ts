import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { type ClickHouseServer, startClickHouseServer } from '../test/support/clickhouse-server.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { clickHouseConfig } from './config.ts'
import { migrate } from './migrate.ts'
import { type Migration, readMigrations } from './read-migrations.ts'
import { connectServer } from './server/connect-server.ts'
import { SUCCESSORS } from './tables.ts'

/** The last schema without tables by the hour. */
const BEFORE = 8

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

const command = (sql: string) => connection.command({ sql, params: {}, settings: {}, timeoutMs: 10_000 })

function run(migrations: readonly Migration[]): Promise<number[]> {
  const target = { database: 'filled', cluster: null }
  return migrate({ connection, target, migrations, programVersion: '1', clock: systemClock })
}

test('what stood in the tables of before stands in those that replace them', async () => {
  const all = await readMigrations()
  await run(all.slice(0, BEFORE))
  const rows = 'FROM numbers(3)'
  const common = "'a', 'm', toFixedString(leftPad(toString(number), 16), 16), now() - INTERVAL number DAY"
  await command(
    `INSERT INTO metric_samples (tenant, metric, series, ts, value) SELECT ${common}, number ${rows}`,
  )
  for (const table of [
    'metric_points',
    'metric_histograms',
    'metric_exponential_histograms',
    'metric_summaries',
  ]) {
    await command(`INSERT INTO ${table} (tenant, metric, series, ts) SELECT ${common} ${rows}`)
  }
  await command(
    "INSERT INTO metric_points (tenant, metric, series, ts, value) SELECT 'b', 'n', 's', now(), 7",
  )
  const contentOf = (table: string) =>
    connection.query({
      sql: `SELECT count() AS rows, sum(cityHash64(tenant, metric, series, ts)) AS sum FROM ${table}`,
      params: {},
      settings: {},
      timeoutMs: 30_000,
    })
  const pairs = Object.entries(SUCCESSORS)
  const stored = await Promise.all(pairs.map(([before]) => contentOf(before)))
  expect(await run(all)).toContain(13)
  expect(await Promise.all(pairs.map(([, now]) => contentOf(now)))).toEqual(stored)
  expect(stored).not.toContainEqual([expect.objectContaining({ rows: '0' })])
}, 60_000)
