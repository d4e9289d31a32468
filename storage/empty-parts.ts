import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClickHouseConnection } from './clickhouse-connection.ts'

/** Removes the parts of tables whose files an embedded engine could not write. */
export interface EmptyParts {
  /**
   * Looks at the active parts of the database that were written since `sinceMs` (epoch milliseconds) and removes those whose files are
   * empty; what they were merged from comes back. Returns how many there were of inserts: those have to be repeated, and can be under their
   * old token. Throws what the connection throws; the next call goes on where this one failed.
   */
  remove(sinceMs: number): Promise<number>
}

interface Part {
  readonly table: string
  readonly name: string
  readonly path: string
  /** Of its files as the engine believes to have written them. */
  readonly bytes: string
  readonly partition: string
  readonly first: string
  readonly last: string
}

const TIMEOUT_MS = 60_000

/**
 * The engine (seen with 26.7) takes a part for written although the disk was full when its files were closed: they are all of no length,
 * and the insert may be reported as done, or not be done again because its token is known. Such a part fails every query and is set aside by
 * the next start.
 */
export function createEmptyParts(connection: ClickHouseConnection, database: string): EmptyParts {
  /** Tables that were taken away and could not be put back. */
  const detached = new Set<string>()

  const command = (sql: string) =>
    connection.command({ sql, params: {}, settings: {}, timeoutMs: TIMEOUT_MS })
  const parts = async (where: string, params: Readonly<Record<string, string | number>>) =>
    (await connection.query({
      sql: `SELECT table, name, path, toString(bytes_on_disk) AS bytes, partition_id AS partition, toString(min_block_number) AS first, toString(max_block_number) AS last
FROM system.parts WHERE database = {database:String} AND ${where}`,
      params: { database, ...params },
      settings: {},
      timeoutMs: TIMEOUT_MS,
    })) as Part[]

  async function attach(): Promise<void> {
    for (const table of [...detached]) {
      await command(`ATTACH TABLE IF NOT EXISTS ${database}.\`${table}\``)
      detached.delete(table)
    }
  }

  async function isMerged({ table, partition, first, last }: Part): Promise<boolean> {
    const inside = 'NOT active AND table = {table:String} AND partition_id = {partition:String}'
    const blocks = 'min_block_number >= {first:Int64} AND max_block_number <= {last:Int64}'
    return (await parts(`${inside} AND ${blocks}`, { table, partition, first, last })).length > 0
  }

  async function removeNow(sinceMs: number): Promise<number> {
    await attach()
    const young = await parts('active AND rows > 0 AND modification_time >= toDateTime({since:Int64})', {
      since: Math.floor(sinceMs / 1000),
    })
    let inserts = 0
    const merged: Part[] = []
    for (const part of young) {
      if (await isWhole(part)) continue
      if (await isMerged(part)) {
        merged.push(part)
        continue
      }
      await command(`ALTER TABLE ${database}.\`${part.table}\` DROP PART '${part.name}'`)
      inserts += 1
    }
    // Loaded anew, a table has again what the part was merged from, which is kept for a while.
    for (const { table, path } of merged) {
      if (!detached.has(table)) await command(`DETACH TABLE ${database}.\`${table}\``)
      detached.add(table)
      await rm(path, { recursive: true, force: true })
    }
    await attach()
    return inserts
  }

  let last: Promise<unknown> = Promise.resolve()
  return {
    // One at a time: a table that one has taken away is not for another to put back.
    remove(sinceMs) {
      const removed = last.then(() => removeNow(sinceMs))
      last = removed.catch(() => undefined)
      return removed
    },
  }
}

/** Whether the files have all the bytes that the engine believes to have written. A part that is gone meanwhile is whole. */
async function isWhole({ path, bytes }: Part): Promise<boolean> {
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    let found = 0
    for (const entry of entries) {
      if (!entry.isFile()) continue
      const { size } = await stat(join(entry.parentPath, entry.name))
      if (size === 0 && WITH_CONTENTS.has(entry.name)) return false
      found += size
    }
    return found >= Number(bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw error
  }
}

/** Files that are of no length in no part. */
const WITH_CONTENTS = new Set(['checksums.txt', 'columns.txt', 'count.txt', 'data.bin'])
