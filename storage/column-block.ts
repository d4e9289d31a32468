/** Numbers as they stand in memory. */
export type NumberArray =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** One column of a block. */
export type Column =
  | { readonly kind: 'number'; readonly values: NumberArray }
  | { readonly kind: 'text'; readonly values: readonly string[] }
  /** Byte strings of one width, one after the other. */
  | { readonly kind: 'bytes'; readonly width: number; readonly values: Uint8Array }
  /** Row i has the elements from `ends[i - 1]` (0 for the first) up to `ends[i]`. A map has its keys and values in `elements`. */
  | { readonly kind: 'array'; readonly ends: Float64Array; readonly elements: readonly Column[] }

/** Rows of an answer, column by column. */
export interface ColumnBlock {
  readonly rows: number
  readonly columns: ReadonlyMap<string, Column>
}

/** An answer in columns. */
export interface ColumnAnswer {
  /** In the order in which they came; none is empty. */
  readonly blocks: readonly ColumnBlock[]
  readonly rows: number
  /** Rows read from tables; null where ClickHouse did not say. */
  readonly rowsRead: number | null
}
