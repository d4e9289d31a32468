import type { NativeInsert, Parameter } from './storage.ts'

/** A statement as a connection takes it: complete but for FORMAT. */
export interface Statement {
  readonly sql: string
  readonly params: Readonly<Record<string, Parameter>>
  /** ClickHouse settings of this statement. */
  readonly settings: Readonly<Record<string, string | number>>
  /** After this many milliseconds the caller no longer waits; counted from the call, time in a queue included. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** An answer as bytes, and how many rows of tables were read for it; null: not told. */
export interface NativeAnswer {
  readonly bytes: Buffer
  readonly rowsRead: number | null
}

/**
 * How statements reach ClickHouse: the part of storage that differs between the embedded engine and a server. Throws
 * what the client throws, and `AppError` for what it decides itself (TOO_MANY_REQUESTS, CANCELLED, QUERY_TIMEOUT).
 */
export interface ClickHouseConnection {
  readonly kind: 'embedded' | 'server'
  /** ClickHouse's version. */
  readonly version: string
  /** Rows as objects, 64-bit integers as decimal strings. */
  query(statement: Statement): Promise<unknown[]>
  /** The answer in ClickHouse's Native format. */
  queryNative(statement: Statement): Promise<NativeAnswer>
  /** Statements of ours that return nothing; they run one after the other on an embedded engine. */
  command(statement: Statement): Promise<void>
  insert(insert: NativeInsert): Promise<void>
  /** Rejects when no answer comes within two seconds. */
  ping(): Promise<void>
  close(): Promise<void>
}
