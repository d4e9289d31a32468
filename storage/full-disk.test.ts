import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { applyRetention } from './apply-retention.ts'
import { clickHouseConfig, retentionConfig } from './config.ts'
import { connectStorage } from './connect-storage.ts'
import { listPartitions } from './list-partitions.ts'
import { createSpaceGuard } from './space-guard.ts'
import type { ManagedStorage } from './storage.ts'

const MIB = 2 ** 20
const volume = mkdtempSync(join(tmpdir(), 'meshwatch-full-'))
const isMounted = mount()

/** A small volume of its own, where that is allowed. */
function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', volume], { stdio: 'ignore' })
    return true
  } catch {
    rmSync(volume, { recursive: true })
    console.log('skipped: a full disk needs the right to mount a tmpfs')
    return false
  }
}

describe.skipIf(!isMounted)('a disk that is full to the last byte', () => {
  const dataDir = join(volume, 'data')
  const silent = pino({ level: 'silent' })
  let storage: ManagedStorage

  const open = () =>
    connectStorage({
      config: clickHouseConfig.parse({}),
      dataDir,
      limits: { timeoutMs: 10_000, maxMemoryBytes: 2 ** 30, maxResultRows: 10_000, maxRowsToRead: 0 },
      queryConcurrency: 2,
      clock: systemClock,
      logger: silent,
      registry: new Registry(),
    })

  beforeAll(async () => {
    storage = await open()
  })

  afterAll(async () => {
    await storage.close()
    execFileSync('umount', [volume])
    rmSync(volume, { recursive: true })
  })

  const guard = () =>
    createSpaceGuard({
      storage,
      minFreeBytes: 40 * MIB,
      reserveFile: join(dataDir, 'tmp', 'reserve'),
      clock: systemClock,
      logger: silent,
      registry: new Registry(),
    })

  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(volume)
    return bavail * bsize
  }

  const insertDay = (daysAgo: number) =>
    storage.command(
      `INSERT INTO logs (tenant, ts, body) SELECT 'default', now64(9) - toIntervalDay(${daysAgo}), randomPrintableASCII(200) FROM numbers(100000)`,
    )

  const fillDisk = () => {
    const piece = Buffer.alloc(MIB / 4, 'x')
    for (;;) {
      try {
        appendFileSync(join(volume, 'filler'), piece)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
        throw error
      }
    }
  }

  const storedDays = async () =>
    (await listPartitions(storage)).filter(({ table }) => table === 'logs').length

  test('refuses inserts with one sentence, and the guard makes room', async () => {
    await guard().run()
    for (const daysAgo of [0, 1, 2, 3]) await insertDay(daysAgo)
    fillDisk()
    expect(freeBytes()).toBeLessThan(MIB)
    await expect(insertDay(0)).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: 'Cannot run a statement: the disk is full',
    })
    await guard().run()
    expect(freeBytes()).toBeGreaterThan(40 * MIB)
    expect(await storedDays()).toBeLessThan(4)
    await insertDay(0)
  })

  test('can be started on, and the guard makes room', async () => {
    rmSync(join(volume, 'filler'))
    await guard().run()
    await insertDay(2)
    fillDisk()
    await storage.close()
    storage = await open()
    await guard().run()
    expect(freeBytes()).toBeGreaterThan(10 * MIB)
    await insertDay(0)
  })

  test('lets the retention be lowered', async () => {
    const config = (days: number) => ({ ...retentionConfig.parse({}), traces: days * 86_400_000 })
    const apply = (days: number) =>
      applyRetention({ storage, config: config(days), clock: systemClock, logger: silent })
    rmSync(join(volume, 'filler'))
    await apply(20)
    await insertDay(9)
    await guard().run()
    fillDisk()
    await guard().run()
    await apply(1)
    expect(await storedDays()).toBe(1)
  })
})
