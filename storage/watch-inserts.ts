import { type InsertTimes, readInsertTimes } from './read-insert-times.ts'
import type { NativeInsert, Storage } from './storage.ts'

/** What was inserted: into which table, whose rows, from which time on. */
export interface InsertNotice extends InsertTimes {
  readonly table: NativeInsert['table']
}

/**
 * The same storage, which tells of every insert into one of `tables` when the rows can be read; also of one that failed, as its rows
 * may be there all the same.
 */
export function watchInserts(
  storage: Storage,
  tables: ReadonlySet<string>,
  onInserted: (notice: InsertNotice) => void,
): Storage {
  return {
    ...storage,
    get version() {
      return storage.version
    },
    async insertNative(insert) {
      if (!tables.has(insert.table)) return storage.insertNative(insert)
      // Before the insert: the bytes are the caller's to reuse as soon as it is done.
      const times = readInsertTimes(insert)
      try {
        await storage.insertNative(insert)
      } finally {
        onInserted({ table: insert.table, ...times })
      }
    },
  }
}
