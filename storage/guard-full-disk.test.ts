import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { silentLogger } from '../runtime/logger.ts'
import { nativeBlock } from '../test/support/native-block.ts'
import { mountSmallVolume, type SmallVolume, whyNoVolume } from '../test/support/small-volume.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { connectEmbedded } from './embedded/connect-embedded.ts'
import { guardFullDisk } from './guard-full-disk.ts'
import type { NativeInsert } from './storage.ts'

const unavailable = whyNoVolume()
if (unavailable !== null) console.info(`skipped: ${unavailable}`)

const COLUMNS = [{ name: 'x', type: 'UInt64' }]

const insertOf = (deduplicationToken: string): NativeInsert => {
  const values = Array.from({ length: 1000 }, (_, index) => index)
  const block = nativeBlock([{ name: 'x', type: 'UInt64', values }])
  return { table: 'spans', columns: COLUMNS, blocks: [block], rows: 1000, deduplicationToken }
}

describe.skipIf(unavailable !== null)('inserts on a disk that is nearly full', () => {
  let volume: SmallVolume
  let engine: ClickHouseConnection
  /** What happens when the engine says that an insert is done. */
  let onInserted: () => Promise<void>
  let guarded: ClickHouseConnection

  beforeEach(async () => {
    volume = mountSmallVolume(96)
    const dataDir = join(volume.path, 'data')
    engine = await connectEmbedded({ dataDir, database: 'd', queryConcurrency: 1, maxMemoryBytes: 2 ** 30 })
    await engine.command({
      sql: 'CREATE TABLE spans (x UInt64) ENGINE = MergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 100',
      params: {},
      settings: {},
      timeoutMs: 30_000,
    })
    onInserted = async () => undefined
    const told: ClickHouseConnection = {
      ...engine,
      insert: async (insert) => {
        await engine.insert(insert)
        await onInserted()
      },
    }
    guarded = guardFullDisk(told, { dataDir, database: 'd', clock: systemClock, logger: silentLogger() })
  })

  afterEach(async () => {
    await engine.close()
    volume.remove()
  })

  const count = async () => {
    const sql = 'SELECT toUInt32(count()) AS n FROM spans'
    const [row] = (await engine.query({ sql, params: {}, settings: {}, timeoutMs: 30_000 })) as {
      n: number
    }[]
    return row?.n
  }

  const FULL = { code: 'STORAGE_UNAVAILABLE', message: 'Cannot insert into spans: the disk is full' }

  const emptyNewestPart = async () => {
    const sql =
      "SELECT path FROM system.parts WHERE active AND table = 'spans' ORDER BY max_block_number DESC LIMIT 1"
    const [part] = (await engine.query({ sql, params: {}, settings: {}, timeoutMs: 30_000 })) as {
      path: string
    }[]
    const path = part?.path ?? ''
    for (const file of await readdir(path)) await truncate(join(path, file), 0)
  }

  test('do not begin, and can be repeated when there is room', async () => {
    await guarded.insert(insertOf('a'))
    volume.fill()
    await expect(guarded.insert(insertOf('b'))).rejects.toMatchObject(FULL)
    volume.free()
    await guarded.insert(insertOf('b'))
    expect(await count()).toBe(2000)
  })

  test('that the engine takes for done although it wrote nothing fail, and are done when they are repeated', async () => {
    await guarded.insert(insertOf('a'))
    onInserted = emptyNewestPart
    await expect(guarded.insert(insertOf('b'))).rejects.toMatchObject(FULL)
    expect(await count()).toBe(1000)
    onInserted = async () => undefined
    await guarded.insert(insertOf('b'))
    expect(await count()).toBe(2000)
    // The control: without the guard it is lost, and its token stands in the way of doing it again.
    await engine.insert(insertOf('c'))
    await emptyNewestPart()
    await engine.insert(insertOf('c'))
    await expect(count()).resolves.toBe(3000)
    await expect(
      engine.query({ sql: 'SELECT sum(x) FROM spans', params: {}, settings: {}, timeoutMs: 30_000 }),
    ).rejects.toThrow()
  })

  test('whose part another insert found without contents fail too', async () => {
    onInserted = async () => {
      onInserted = async () => undefined
      await emptyNewestPart()
      await expect(guarded.insert(insertOf('b'))).rejects.toMatchObject(FULL)
    }
    await expect(guarded.insert(insertOf('a'))).rejects.toMatchObject(FULL)
    for (const token of ['a', 'b']) await guarded.insert(insertOf(token))
    expect(await count()).toBe(2000)
  })

  test('that fail and leave a part without contents can be repeated', async () => {
    onInserted = async () => {
      await emptyNewestPart()
      throw new Error('Cannot reserve 1.00 MiB, not enough space')
    }
    await expect(guarded.insert(insertOf('a'))).rejects.toThrow('Cannot reserve')
    onInserted = async () => undefined
    await guarded.insert(insertOf('a'))
    expect(await count()).toBe(1000)
  })
})
