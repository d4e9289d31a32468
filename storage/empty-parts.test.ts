import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { connectEmbedded } from './embedded/connect-embedded.ts'
import { createEmptyParts, type EmptyParts } from './empty-parts.ts'

let dataDir: string
let connection: ClickHouseConnection
let emptyParts: EmptyParts

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'meshwatch-empty-parts-'))
  connection = await connectEmbedded({
    dataDir,
    database: 'parts',
    queryConcurrency: 1,
    maxMemoryBytes: 2 ** 30,
  })
  emptyParts = createEmptyParts(connection, 'parts')
  await run(`CREATE TABLE raw (x UInt64, day UInt8, PROJECTION p (SELECT day, x ORDER BY day)) ENGINE = MergeTree PARTITION BY day ORDER BY x
    SETTINGS non_replicated_deduplication_window = 100, old_parts_lifetime = 120`)
  await run(`CREATE TABLE sums (day UInt8, n UInt64) ENGINE = SummingMergeTree ORDER BY day
    SETTINGS non_replicated_deduplication_window = 100, old_parts_lifetime = 120`)
  await run('CREATE MATERIALIZED VIEW sums_mv TO sums AS SELECT day, count() AS n FROM raw GROUP BY day')
  await run('SYSTEM STOP MERGES raw')
})

afterEach(async () => {
  await connection.close()
  await rm(dataDir, { recursive: true })
})

const run = (sql: string) => connection.command({ sql, params: {}, settings: {}, timeoutMs: 30_000 })
const ask = (sql: string) => connection.query({ sql, params: {}, settings: {}, timeoutMs: 30_000 })

/** 100 rows, half of them of each day. */
const insert = (token: string) =>
  run(`INSERT INTO raw SELECT number, number % 2 FROM numbers(100) ORDER BY ALL SETTINGS insert_deduplication_token = '${token}',
    deduplicate_insert_select = 'force_enable', deduplicate_blocks_in_dependent_materialized_views = 1, max_threads = 1`)

const counts = async () => {
  const [row] = await ask(
    'SELECT (SELECT toUInt32(countIf(x >= 0 AND day < 2)) FROM raw) AS raw, (SELECT toUInt32(sum(n)) FROM sums) AS sums',
  )
  return row
}

/** Leaves nothing in the files of the newest part of a partition, as a full disk does, or in one of its files only. */
async function empty(table: string, partition: string, only?: string): Promise<void> {
  const [part] = (await ask(`SELECT path FROM system.parts WHERE active AND table = '${table}'
    AND partition_id = '${partition}' ORDER BY max_block_number DESC LIMIT 1`)) as { path: string }[]
  if (part === undefined) throw new Error(`Cannot find a part of ${table}`)
  for (const entry of await readdir(part.path, { recursive: true, withFileTypes: true })) {
    const isMeant = only === undefined || entry.name === only
    if (isMeant && entry.isFile()) await truncate(join(entry.parentPath, entry.name), 0)
  }
}

test('whole parts stay', async () => {
  await insert('a')
  await insert('b')
  expect(await emptyParts.remove(0)).toBe(0)
  expect(await counts()).toEqual({ raw: 200, sums: 200 })
})

test.each([undefined, 'data.bin', 'checksums.txt'])(
  'an insert whose part is empty (%s) is removed and can be repeated under its token',
  async (only) => {
    await insert('a')
    await insert('b')
    await empty('raw', '1', only)
    expect(await emptyParts.remove(0)).toBe(1)
    expect(await counts()).toEqual({ raw: 150, sums: 200 })
    await insert('b')
    // The other half, and what views made of it, is not inserted again.
    expect(await counts()).toEqual({ raw: 200, sums: 200 })
    expect(await emptyParts.remove(0)).toBe(0)
  },
)

test('so is one of a view, which the rows reach although the table they come through has them', async () => {
  await insert('a')
  await empty('sums', 'all')
  expect(await emptyParts.remove(0)).toBe(1)
  expect(await counts()).toEqual({ raw: 100, sums: 0 })
  await insert('a')
  expect(await counts()).toEqual({ raw: 100, sums: 100 })
})

test.each([undefined, 'data.bin'])(
  'of a merge whose part is empty (%s) what it was made of comes back',
  async (only) => {
    for (const token of ['a', 'b', 'c']) await insert(token)
    await run('SYSTEM START MERGES raw')
    await run("OPTIMIZE TABLE raw PARTITION ID '1' FINAL")
    await run('SYSTEM STOP MERGES raw')
    await empty('raw', '1', only)
    expect(await emptyParts.remove(0)).toBe(0)
    expect(await counts()).toEqual({ raw: 300, sums: 300 })
    // The views hear of the table that was loaded anew, and tokens are still known.
    await insert('c')
    await insert('d')
    expect(await counts()).toEqual({ raw: 400, sums: 400 })
  },
)

test('parts that were written before are not looked at', async () => {
  await insert('a')
  await empty('raw', '1')
  expect(await emptyParts.remove(Date.now() + 60_000)).toBe(0)
  expect(await emptyParts.remove(Date.now() - 60_000)).toBe(1)
})
