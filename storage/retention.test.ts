import { statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { applyRetention, retentionDays } from './apply-retention.ts'
import { clickHouseConfig, retentionConfig } from './config.ts'
import { connectStorage } from './connect-storage.ts'
import { listPartitions } from './list-partitions.ts'
import { createSpaceGuard } from './space-guard.ts'
import type { ManagedStorage } from './storage.ts'
import { ALERT_STATES, ALERT_TRANSITIONS, NOTIFICATIONS, SUCCESSORS, TABLES } from './tables.ts'

const DAY_MS = 86_400_000

let dataDir: string
let storage: ManagedStorage

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'meshwatch-retention-'))
  storage = await connectStorage({
    config: clickHouseConfig.parse({}),
    dataDir,
    limits: { timeoutMs: 10_000, maxMemoryBytes: 2 ** 30, maxResultRows: 10_000, maxRowsToRead: 0 },
    queryConcurrency: 2,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
})

afterAll(async () => {
  await storage.close()
  await rm(dataDir, { recursive: true })
})

/** A logger whose lines can be read. */
function recorder(): { logger: pino.Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  return {
    logger: pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    lines,
  }
}

async function insertLogs(daysAgo: readonly number[], rows = 1000): Promise<void> {
  for (const days of daysAgo) {
    await storage.command(
      `INSERT INTO logs (tenant, ts, body) SELECT 'default', now64(9) - toIntervalDay(${days}), randomPrintableASCII(100) FROM numbers(${rows})`,
    )
  }
}

async function storedDays(): Promise<number[]> {
  const today = Math.floor(Date.now() / DAY_MS)
  const partitions = await listPartitions(storage)
  return partitions.filter(({ table }) => table === 'logs').map(({ dayNumber }) => today - dayNumber)
}

describe('applyRetention', () => {
  const apply = async (config: object) => {
    const { logger, lines } = recorder()
    await applyRetention({ storage, config: retentionConfig.parse(config), clock: systemClock, logger })
    return lines.map(({ table, before, days }) => `${table} ${before} ${days}`)
  }

  test('changes nothing where the tables say it already', async () => {
    // attribute_keys of metrics outlive the seven days the schema begins with.
    expect(await apply({})).toEqual(['attribute_keys 7 30'])
    expect(await apply({})).toEqual([])
  })

  test('gives every table a TTL by the day it is partitioned by', async () => {
    await storage.command('ALTER TABLE spans REMOVE TTL')
    expect(await apply({ traces: '3d', metrics: '40d' })).toEqual(
      expect.arrayContaining([
        'spans null 3',
        'logs 7 3',
        'origins 31 41',
        'metric_series 31 41',
        'red_5m 30 40',
      ]),
    )
    const rows = await storage.inspect<{ name: string; ttl: string }>(
      "SELECT name, extract(engine_full, ' TTL (.+) SETTINGS') AS ttl FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations'",
    )
    const ttls = Object.fromEntries(rows.map(({ name, ttl }) => [name, ttl]))
    expect(Object.keys(ttls).sort()).toEqual(
      [...TABLES, ...Object.keys(SUCCESSORS), ALERT_STATES, ALERT_TRANSITIONS, NOTIFICATIONS].sort(),
    )
    expect(ttls).toMatchObject({
      spans: 'toDate(ts) + toIntervalDay(3)',
      metric_exemplars: 'toDate(point_ts) + toIntervalDay(40)',
      edges_10s: 'toDate(slot) + toIntervalDay(40)',
      // What was replaced goes soon.
      metric_points: 'toDate(ts) + toIntervalDay(1)',
    })
  })

  test('keeps the history of alerts as long as it is told', async () => {
    expect(await apply({ alerts: '400d' })).not.toContainEqual(expect.stringMatching(/^(alert|notif)/))
    const changed = (await apply({ alerts: '90d' })).filter((line) => /^(alert|notif)/.test(line))
    expect(changed).toEqual(['alert_states 400 90', 'alert_transitions 400 90', 'notifications 400 90'])
    await storage.command(
      `INSERT INTO notifications (tenant, created, id) SELECT 'default', now64(3) - toIntervalDay(number * 150), toString(number) FROM numbers(2)`,
    )
    await storage.command('OPTIMIZE TABLE notifications FINAL')
    const kept = await storage.select<{ id: string }>({
      name: 'test',
      tenant: 'default',
      sql: 'SELECT id FROM notifications WHERE tenant = {tenant:String}',
    })
    expect(kept).toEqual([{ id: '0' }])
    expect(await apply({ alerts: '90d', traces: '7d', metrics: '30d' })).not.toContainEqual(
      expect.stringMatching(/^(alert|notif)/),
    )
  })

  test('raised, tells stored parts without rewriting them; lowered, drops what is over at once', async () => {
    await apply({ traces: '7d' })
    // Small parts are one file, which is written anew; large ones, as merges make them, are a file per column.
    await storage.command('ALTER TABLE logs MODIFY SETTING min_bytes_for_wide_part = 0')
    await insertLogs([0, 1, 2, 5], 1000)
    const before = await parts()
    expect(await apply({ traces: '20d' })).toContain('logs 7 20')
    await expect
      .poll(async () => (await parts()).map(({ expires }) => expires), { timeout: 10_000 })
      .toEqual(before.map(({ expires }) => expires + 13))
    const after = await parts()
    expect(after.map(({ inode }) => inode)).toEqual(before.map(({ inode }) => inode))
    expect(after.map(({ name }) => name)).not.toEqual(before.map(({ name }) => name))

    expect(await apply({ traces: '2d' })).toContain('logs 20 2')
    expect(await storedDays()).toEqual([1, 0])
  })
})

/** Active parts of logs: until which day they are kept, and the inode of their body column. */
async function parts(): Promise<{ name: string; expires: number; inode: number }[]> {
  const rows = await storage.inspect<{ name: string; path: string; expires: number }>(
    "SELECT name, path, toRelativeDayNum(delete_ttl_info_max) AS expires FROM system.parts WHERE active AND table = 'logs' ORDER BY min_time",
  )
  return rows.map(({ name, path, expires }) => {
    return { name, expires, inode: statSync(join(path, 'body.bin')).ino }
  })
}

test.each([
  ['spans', 7],
  ['logs', 7],
  ['origins', 31],
  ['attribute_keys', 30],
  ['otlp_points', 30],
  ['red_10s', 30],
  ['alert_states', 400],
  ['alert_transitions', 400],
  ['notifications', 400],
] as const)('%s are kept %d days by default', (table, days) => {
  expect(retentionDays(table, retentionConfig.parse({}))).toBe(days)
})

/** The storage, on a volume that has so much free. */
function withDisk(freeBytes: number): ManagedStorage {
  const inspect = async <Row>(sql: string, params?: Parameters<ManagedStorage['inspect']>[1]) =>
    sql.includes('system.disks')
      ? ([{ free: String(freeBytes), total: String(2 ** 40) }] as Row[])
      : storage.inspect<Row>(sql, params)
  return { ...storage, inspect }
}

describe('the space guard', () => {
  const guard = (more: { storage?: ManagedStorage; minFreeBytes?: number }) => {
    const registry = new Registry()
    const recorded = recorder()
    const made = createSpaceGuard({
      storage,
      minFreeBytes: 1,
      reserveFile: null,
      clock: systemClock,
      logger: recorded.logger,
      registry,
      ...more,
    })
    return { ...made, registry, lines: recorded.lines }
  }

  beforeAll(async () => {
    await applyRetention({
      storage,
      config: retentionConfig.parse({ traces: '30d' }),
      clock: systemClock,
      logger: pino({ level: 'silent' }),
    })
    await insertLogs([3, 4])
  })

  test('leaves everything alone while enough is free', async () => {
    const { run, lines } = guard({})
    const before = await storedDays()
    await run()
    expect(await storedDays()).toEqual(before)
    expect(lines).toEqual([])
  })

  test('below the threshold drops the oldest day in all tables, and says so', async () => {
    await storage.command(
      "INSERT INTO spans (tenant, ts, service) SELECT 'default', now64(9) - toIntervalDay(4), 'checkout'",
    )
    const { run, lines, registry } = guard({ storage: withDisk(2 ** 20), minFreeBytes: 2 ** 20 + 1 })
    await run()
    expect(await storedDays()).toEqual([3, 1, 0])
    expect((await listPartitions(storage)).map(({ table }) => table)).not.toContain('spans')
    expect(lines).toMatchObject([
      { level: 40, event: 'day-dropped', msg: expect.stringContaining('1 MiB of the disk') },
    ])
    const metrics = await registry.metrics()
    for (const table of ['logs', 'spans', 'red_10s']) {
      expect(metrics).toContain(`meshwatch_retention_dropped_partitions_total{table="${table}"} 1`)
    }
  })

  test('on a full disk drops all days but today, and then only warns', async () => {
    const { run, lines } = guard({ storage: withDisk(0), minFreeBytes: 2 ** 40 })
    await run()
    expect(await storedDays()).toEqual([0])
    lines.length = 0
    await run()
    expect(await storedDays()).toEqual([0])
    expect(lines).toMatchObject([{ event: 'disk-nearly-full' }])
  })

  test('is switched off by 0', async () => {
    await insertLogs([2])
    await guard({ storage: withDisk(0), minFreeBytes: 0 }).run()
    expect(await storedDays()).toEqual([2, 0])
  })

  test('survives a failure and says so', async () => {
    const broken = { ...storage, inspect: () => Promise.reject(new Error('gone')) }
    const { logger, lines } = recorder()
    const made = createSpaceGuard({
      storage: broken,
      minFreeBytes: 1,
      reserveFile: null,
      clock: systemClock,
      logger,
      registry: new Registry(),
    })
    await made.run()
    expect(lines).toMatchObject([{ event: 'space-guard-failed', msg: 'Cannot guard the free space: gone' }])
  })
})
