/**
 * One column of a block in the making. Values are appended by methods of the concrete columns; all columns of a block
 * must have the same number of rows when it is written.
 */
export interface Column {
  /** ClickHouse's name of the type, as the Native header carries it. */
  readonly type: string
  /** How many values there are. */
  readonly rows: number
  /** Remembers the present end, so that a message that turns out malformed leaves nothing behind. */
  mark(): void
  /** Goes back to the remembered end. */
  rollback(): void
  /** Empties the column. */
  reset(): void
  /** An upper bound of the bytes {@link writeTo} writes. */
  byteLength(): number
  /** Writes the column's data in Native form at `offset`; returns the offset behind it. */
  writeTo(target: Buffer, offset: number): number
}
