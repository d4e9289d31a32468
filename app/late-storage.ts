import { AppError } from '../runtime/errors.ts'
import type { Storage } from '../storage/storage.ts'

/** A storage that may be there later than those who use it. */
export interface LateStorage {
  /** Does what the real one does. Until it has arrived everything throws AppError STORAGE_UNAVAILABLE with the reason. */
  readonly storage: Storage
  /** Says why it is not there. */
  setReason(reason: string): void
  arrive(storage: Storage): void
}

/** Makes the place of a ClickHouse server that is away. `reason`: one sentence. */
export function createLateStorage(database: string, reason: string): LateStorage {
  let arrived: Storage | null = null
  let why = reason
  const real = (): Storage => {
    if (arrived === null) throw new AppError('STORAGE_UNAVAILABLE', why, { retryAfterMs: 5000 })
    return arrived
  }
  return {
    storage: {
      kind: 'server',
      database,
      get version() {
        return arrived?.version ?? ''
      },
      select: async <Row>(question: Parameters<Storage['select']>[0]) => await real().select<Row>(question),
      selectColumns: async (question) => await real().selectColumns(question),
      command: async (sql, params) => await real().command(sql, params),
      insertNative: async (insert) => await real().insertNative(insert),
      revision: (table) => arrived?.revision(table) ?? null,
      ping: async () => await real().ping(),
      close: async () => await arrived?.close(),
    },
    setReason: (next) => {
      why = next
    },
    arrive: (storage) => {
      arrived = storage
    },
  }
}
