/** Numbers that tell whether what was read of a table still holds. See `Storage.revision`. */
export interface TableRevisions {
  /** Null on a server: others write there, too. */
  of(table: string): number | null
  /** Does work that changes one table. */
  change<T>(table: string, work: () => Promise<T>): Promise<T>
  /** Does work that may change any table. */
  changeAll<T>(work: () => Promise<T>): Promise<T>
}

/** Numbers for one connection. */
export function createRevisions(kind: 'embedded' | 'server'): TableRevisions {
  const ofTables = new Map<string, number>()
  let ofAll = 0
  const bump = (table: string) => void ofTables.set(table, (ofTables.get(table) ?? 0) + 1)
  return {
    of: (table) => (kind === 'server' ? null : ofAll + (ofTables.get(table) ?? 0)),
    async change(table, work) {
      // Before, too: rows may be seen while the insert is under way, and a read between must not be taken for one after.
      bump(table)
      try {
        return await work()
      } finally {
        bump(table)
      }
    },
    async changeAll(work) {
      ofAll += 1
      try {
        return await work()
      } finally {
        ofAll += 1
      }
    },
  }
}
