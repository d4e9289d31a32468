import { statfsSync } from 'node:fs'
import type { Clock } from '../runtime/clock.ts'
import { AppError } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { createEmptyParts } from './empty-parts.ts'

/** What a guard of inserts needs to know. */
export interface GuardFullDiskOptions {
  /** On the volume of the engine. */
  readonly dataDir: string
  readonly database: string
  readonly clock: Clock
  readonly logger: Logger
}

const MIB = 2 ** 20
/** No insert begins with less room than this beside its own: merges and the journal write at the same time. */
const LEAST_FREE_BYTES = 16 * MIB
/** The file it is read from, and the parts that are made of it. */
const SHARE_OF_INSERT = 2
/** With less than this at either end of an insert it is not believed before its parts are looked at. */
const TIGHT_BYTES = 256 * MIB
/** A merge may have begun while there was no room, and end later. */
const SUSPECT_MS = 30_000
/** Times of parts are whole seconds. */
const CLOCK_GRAIN_MS = 2000

/**
 * The same connection of an embedded engine, whose inserts neither begin on a disk that is nearly full nor are taken for done when the
 * engine could not write them (see `createEmptyParts`): they fail with STORAGE_UNAVAILABLE and can be repeated under the same token.
 */
export function guardFullDisk(
  connection: ClickHouseConnection,
  options: GuardFullDiskOptions,
): ClickHouseConnection {
  const { clock, logger } = options
  const emptyParts = createEmptyParts(connection, options.database)
  let tightSinceMs: number | null = null
  let tightUntilMs = 0
  /** Of all inserts: what one finds may be another's. */
  let allRemoved = 0

  const tighten = () => {
    tightSinceMs ??= clock.now() - CLOCK_GRAIN_MS
    tightUntilMs = clock.now()
  }

  const freeBytes = () => {
    // Microseconds on this thread; in the pool it would wait for queries.
    const { bavail, bsize } = statfsSync(options.dataDir)
    if (bavail * bsize < TIGHT_BYTES) tighten()
    return bavail * bsize
  }

  const removeEmptyParts = async (): Promise<void> => {
    freeBytes()
    if (tightSinceMs === null) return
    const lookedAtMs = clock.now()
    const removed = await emptyParts.remove(tightSinceMs)
    if (removed > 0) {
      allRemoved += removed
      logger.warn(
        { event: 'empty-parts-removed', parts: removed },
        'ClickHouse could not write what it was given: it is given again',
      )
    }
    tightSinceMs = lookedAtMs - tightUntilMs > SUSPECT_MS ? null : lookedAtMs - CLOCK_GRAIN_MS
  }

  return {
    ...connection,
    async insert(insert) {
      const bytes = insert.blocks.reduce((sum, block) => sum + block.byteLength, 0)
      if (freeBytes() < LEAST_FREE_BYTES + SHARE_OF_INSERT * bytes) throw diskFull(insert.table)
      const removedBefore = allRemoved
      try {
        await connection.insert(insert)
      } catch (error) {
        tighten()
        // What cannot be removed now is looked for again after the next insert.
        await removeEmptyParts().catch(() => undefined)
        throw error
      }
      await removeEmptyParts()
      if (allRemoved > removedBefore) throw diskFull(insert.table)
    },
  }
}

function diskFull(table: string): AppError {
  return new AppError('STORAGE_UNAVAILABLE', `Cannot insert into ${table}: the disk is full`)
}
