import type { ColumnAnswer } from './column-block.ts'
import type { AlertTable, TableName } from './tables.ts'

/** A value bound to a `{name:Type}` parameter of a statement. */
export type Parameter = string | number | bigint | boolean | null | readonly Parameter[]

/** Bounds of one read. Whatever passes one of them ends with QUERY_TIMEOUT or RESULT_TOO_LARGE. */
export interface ReadLimits {
  /** Wall time, milliseconds. */
  readonly timeoutMs: number
  /** Memory of the statement inside ClickHouse, bytes. */
  readonly maxMemoryBytes: number
  /** Rows of the result. */
  readonly maxResultRows: number
  /** Rows read from tables; 0: no bound. */
  readonly maxRowsToRead: number
}

/** One question to ClickHouse. */
export interface Select {
  /** Stable name of the question, for metrics and error messages: `traces.search`. */
  readonly name: string
  /** Whose rows. Bound as `{tenant:String}`: the statement must filter by it. */
  readonly tenant: string
  /** The statement without FORMAT, SETTINGS or trailing semicolon. Table names unqualified, from `storage/tables.ts`. */
  readonly sql: string
  /** Values of the statement's `{name:Type}` parameters, `tenant` excepted. */
  readonly params?: Readonly<Record<string, Parameter>>
  /** Narrower bounds than the configured ones. */
  readonly limits?: Partial<ReadLimits>
  /** Extra ClickHouse settings for this statement. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** The client went away: the answer is no longer wanted. */
  readonly signal?: AbortSignal
}

/** One column of a block to insert: its name in the table and the ClickHouse type its Native bytes have. */
export interface NativeColumn {
  readonly name: string
  readonly type: string
}

/** Rows for one table, in ClickHouse's Native format (one or more Native blocks one after the other). */
export interface NativeInsert {
  readonly table: TableName | AlertTable
  readonly columns: readonly NativeColumn[]
  /** The blocks' bytes, in pieces of any size. Read once, in order. */
  readonly blocks: readonly Uint8Array[]
  readonly rows: number
  /** The same token is inserted once, however often it is tried: made from journal, segment and offset. */
  readonly deduplicationToken: string
}

/**
 * ClickHouse, embedded or remote, behind one interface. All methods throw `AppError`
 * (STORAGE_UNAVAILABLE, QUERY_TIMEOUT, RESULT_TOO_LARGE, CANCELLED, INTERNAL).
 */
export interface Storage {
  readonly kind: 'embedded' | 'server'
  readonly database: string
  /** ClickHouse's version, `26.7.2.1`. */
  readonly version: string
  /**
   * Asks, within the configured limits; rows as objects. 64-bit integers arrive as decimal strings,
   * NaN and infinities as `nan`, `inf`, `-inf`.
   */
  select<Row>(question: Select): Promise<Row[]>
  /**
   * Asks as {@link select} does; columns as arrays in memory, without text between: every bit of a number arrives, a NaN's too. Types as
   * `readNative` knows them; the statement casts others.
   */
  selectColumns(question: Select): Promise<ColumnAnswer>
  /** Runs a statement of ours that returns nothing (DDL, maintenance). Unqualified names are in `database`. */
  command(sql: string, params?: Readonly<Record<string, Parameter>>): Promise<void>
  /** Inserts blocks exactly once per token; resolves when ClickHouse has them. */
  insertNative(insert: NativeInsert): Promise<void>
  /**
   * A number that changes when rows of a table may have changed: before and after each insert, and with every command. So what was read of a
   * table holds while its number stays. Null where others write, too: a server.
   */
  revision(table: TableName): number | null
  /** Throws STORAGE_UNAVAILABLE unless ClickHouse answers within two seconds. */
  ping(): Promise<void>
  /** Waits for what runs and frees the engine or the connections. */
  close(): Promise<void>
}

/** Storage as those see it who look after it: retention and the space guard. */
export interface ManagedStorage extends Storage {
  /** The cluster that the tables are spread over; null: one node. */
  readonly cluster: string | null
  /**
   * Asks about ClickHouse itself: parts, disks, definitions. Reads `system.*` only, so it belongs to no tenant; throws
   * INTERNAL for a statement that reads anything else.
   */
  inspect<Row>(sql: string, params?: Readonly<Record<string, Parameter>>): Promise<Row[]>
}
