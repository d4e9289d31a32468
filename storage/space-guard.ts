import { randomBytes } from 'node:crypto'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Counter, type Registry } from 'prom-client'
import { formatByteSize } from '../model/byte-size.ts'
import type { Clock } from '../runtime/clock.ts'
import { errorMessage } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { chooseDrops, type Disk } from './choose-drops.ts'
import { listPartitions } from './list-partitions.ts'
import { alterTarget } from './render-ddl.ts'
import type { ManagedStorage } from './storage.ts'

/** What the guard works with. */
export interface SpaceGuardOptions {
  readonly storage: ManagedStorage
  /** How much of the volume is to stay free, bytes: `retention.minFreeSpace`; 0: no guard. */
  readonly minFreeBytes: number
  /**
   * A file of the guard's own, on the volume of an embedded engine: it is given up first when the disk is full, because
   * dropping takes a little space itself. Null: none (the disk is a server's).
   */
  readonly reserveFile: string | null
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
}

/** Keeps the disk from filling up. */
export interface SpaceGuard {
  /** Looks once and drops what has to go. Never throws: a failure is logged and the next run tries again. */
  run(): Promise<void>
  /** Runs now and every `periodMs`, one run at a time. Returns a function that ends it and waits for a run in progress. */
  start(periodMs: number): () => Promise<void>
}

const RESERVE_BYTES = 32 * 2 ** 20

/** Makes a guard; registers `meshwatch_retention_dropped_partitions_total{table}`. */
export function createSpaceGuard(options: SpaceGuardOptions): SpaceGuard {
  const { storage, logger, reserveFile } = options
  const dropped = new Counter({
    name: 'meshwatch_retention_dropped_partitions_total',
    help: 'Days dropped before their retention was over, because the disk was nearly full',
    labelNames: ['table'],
    registers: [options.registry],
  })

  const once = async () => {
    const disk = await readDisk(storage)
    if (disk === null || options.minFreeBytes === 0) return
    const drops = chooseDrops({
      now: options.clock.now(),
      disk,
      partitions: await listPartitions(storage),
      minFreeBytes: options.minFreeBytes,
    })
    if (drops.length > 0 && reserveFile !== null && disk.freeBytes < RESERVE_BYTES) {
      await rm(reserveFile, { force: true })
    }
    for (const { day, partitions } of drops) {
      for (const { table } of partitions) {
        await storage.command(`ALTER TABLE ${alterTarget(table, storage)} DROP PARTITION '${day}'`)
        dropped.inc({ table })
      }
      const freed = partitions.reduce((sum, { bytes }) => sum + bytes, 0)
      logger.warn(
        {
          event: 'day-dropped',
          day,
          freedBytes: freed,
          freeBytes: disk.freeBytes,
          tables: partitions.length,
        },
        `Dropped the telemetry of ${day} (${formatByteSize(freed)}): only ${formatByteSize(disk.freeBytes)} of the disk were free`,
      )
    }
    if (drops.length === 0 && disk.freeBytes < options.minFreeBytes) {
      logger.warn(
        { event: 'disk-nearly-full', freeBytes: disk.freeBytes },
        `Only ${formatByteSize(disk.freeBytes)} of the disk are free, and no stored day is older than today`,
      )
    }
    if (reserveFile !== null && disk.freeBytes > 4 * RESERVE_BYTES) await keepReserve(reserveFile)
  }

  const run = () =>
    once().catch((error: unknown) => {
      logger.error(
        { event: 'space-guard-failed', error },
        `Cannot guard the free space: ${errorMessage(error)}`,
      )
    })

  return {
    run,
    start(periodMs) {
      let running: Promise<void> | null = null
      const tick = () => {
        running ??= run().finally(() => {
          running = null
        })
      }
      tick()
      const timer = setInterval(tick, periodMs)
      return async () => {
        clearInterval(timer)
        await running
      }
    },
  }
}

/** The fullest of the disks that hold our tables; null while there are none. */
async function readDisk(storage: ManagedStorage): Promise<Disk | null> {
  const rows = await storage.inspect<{ free: string; total: string }>(
    `SELECT free_space AS free, total_space AS total FROM system.disks
WHERE NOT is_remote AND name IN (SELECT disk_name FROM system.parts WHERE active AND database = {database:String})
ORDER BY free_space LIMIT 1`,
    { database: storage.database },
  )
  const row = rows[0]
  return row === undefined ? null : { freeBytes: Number(row.free), totalBytes: Number(row.total) }
}

async function keepReserve(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  if (size === RESERVE_BYTES) return
  await mkdir(dirname(file), { recursive: true })
  // Not zeros: a file system that compresses would keep nothing in reserve.
  await writeFile(file, randomBytes(RESERVE_BYTES))
}
