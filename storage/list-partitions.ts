import type { ManagedStorage } from './storage.ts'
import { TABLES, type TableName } from './tables.ts'

/** One day of one table. */
export interface Partition {
  readonly table: TableName
  /** The day, `2026-11-20`: also how ClickHouse names the partition. */
  readonly day: string
  /** The day counted from 1970-01-01. */
  readonly dayNumber: number
  /** Its size on disk (of this node, on a cluster). */
  readonly bytes: number
}

/** All days that are stored, oldest first. */
export async function listPartitions(storage: ManagedStorage): Promise<Partition[]> {
  const suffix = storage.cluster === null ? '' : '_local'
  const rows = await storage.inspect<{ table: string; partition: string; bytes: string }>(
    `SELECT table, partition, sum(bytes_on_disk) AS bytes FROM system.parts
WHERE active AND database = {database:String} AND table IN {tables:Array(String)} AND match(partition, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$')
GROUP BY table, partition ORDER BY partition, table`,
    { database: storage.database, tables: TABLES.map((table) => `${table}${suffix}`) },
  )
  return rows.flatMap((row) => {
    const table = TABLES.find((name) => `${name}${suffix}` === row.table)
    if (table === undefined) return []
    const dayNumber = Date.parse(`${row.partition}T00:00:00Z`) / 86_400_000
    return [{ table, day: row.partition, dayNumber, bytes: Number(row.bytes) }]
  })
}
