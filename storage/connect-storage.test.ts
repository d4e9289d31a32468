import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { clickHouseConfig } from './config.ts'
import { connectStorage } from './connect-storage.ts'
import type { Storage } from './storage.ts'
import { TABLES } from './tables.ts'

let dataDir: string
let storage: Storage

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'meshwatch-storage-'))
  storage = await open()
})

afterAll(async () => {
  await storage.close()
  await rm(dataDir, { recursive: true })
})

function open(): Promise<Storage> {
  return connectStorage({
    config: clickHouseConfig.parse({}),
    dataDir,
    limits: { timeoutMs: 10_000, maxMemoryBytes: 2 ** 30, maxResultRows: 10_000, maxRowsToRead: 0 },
    queryConcurrency: 2,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
}

describe('the embedded storage', () => {
  test('has every table after the first start', async () => {
    const rows = await storage.select<{ name: string }>({
      name: 'test.tables',
      tenant: 'default',
      sql: "SELECT name FROM system.tables WHERE database = currentDatabase() AND {tenant:String} = 'default'",
    })
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining([...TABLES]))
  })

  test('keeps its rows over a restart and removes files of interrupted inserts', async () => {
    await storage.command(
      "INSERT INTO attribute_keys VALUES ('default', today(), 'span', 'http.method', 's')",
    )
    await writeFile(join(dataDir, 'tmp', 'insert-1-1.native'), 'left by a crash')
    await storage.close()
    storage = await open()
    const rows = await storage.select({
      name: 'test.keys',
      tenant: 'default',
      sql: 'SELECT key, kind FROM attribute_keys WHERE tenant = {tenant:String}',
    })
    expect(rows).toEqual([{ key: 'http.method', kind: 's' }])
    expect(await readdir(join(dataDir, 'tmp'))).toEqual(['engine.xml'])
  })

  test('inserts Native blocks once per token', async () => {
    for (const token of ['a', 'a', 'b']) {
      await storage.insertNative({
        table: 'attribute_keys',
        columns: [
          { name: 'day', type: 'Date' },
          { name: 'key', type: 'String' },
        ],
        blocks: [nativeBlock(Math.floor(Date.now() / 86_400_000), 'k')],
        rows: 1,
        deduplicationToken: token,
      })
    }
    const rows = await storage.select({
      name: 'test.count',
      tenant: '',
      sql: 'SELECT count() AS n FROM attribute_keys WHERE tenant = {tenant:String}',
    })
    expect(rows).toEqual([{ n: '2' }])
  })
})

/** One block of one row: columns `day` and `key`. */
function nativeBlock(day: number, key: string): Uint8Array {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
  return Buffer.concat([
    Buffer.from([2, 1]),
    ...[text('day'), text('Date'), Buffer.from([day & 255, day >> 8])],
    ...[text('key'), text('String'), text(key)],
  ])
}
