import type { NativeColumn } from '../../storage/storage.ts'
import type { TableName } from '../../storage/tables.ts'
import type { Column } from './column.ts'

/** The columns of one table, filled row by row and written as one Native block. */
export interface Block {
  readonly table: TableName
  /** Names in the table and types of the bytes, in the order they are written. */
  readonly structure: readonly NativeColumn[]
  rows(): number
  mark(): void
  rollback(): void
  reset(): void
  /** An upper bound of the bytes that {@link Block.writeTo} writes. */
  byteLength(): number
  /** Writes the block; returns the offset behind it. */
  writeTo(target: Buffer, offset: number): number
}

/** Makes a block of named columns; `columns` stay the caller's to fill. */
export function createBlock(table: TableName, columns: Readonly<Record<string, Column>>): Block {
  const entries = Object.entries(columns)
  const all = entries.map(([, column]) => column)
  const first = all[0]
  if (first === undefined) throw new RangeError(`Cannot make a block of ${table}: it has no columns`)
  const headers = entries.map(([name, column]) =>
    Buffer.concat([nativeString(name), nativeString(column.type)]),
  )
  const headerBytes = headers.reduce((sum, header) => sum + header.length, 16)
  return {
    table,
    structure: entries.map(([name, column]) => ({ name, type: column.type })),
    rows: () => first.rows,
    mark: () => {
      for (const column of all) column.mark()
    },
    rollback: () => {
      for (const column of all) column.rollback()
    },
    reset: () => {
      for (const column of all) column.reset()
    },
    byteLength: () => all.reduce((sum, column) => sum + column.byteLength(), headerBytes),
    writeTo: (target, offset) => {
      const rows = first.rows
      let at = writeVarint(target, offset, all.length)
      at = writeVarint(target, at, rows)
      for (const [index, column] of all.entries()) {
        if (column.rows !== rows) {
          const name = entries[index]?.[0]
          throw new RangeError(
            `Cannot write a block of ${table}: ${name} has ${column.rows} rows, not ${rows}`,
          )
        }
        const header = headers[index] as Buffer
        target.set(header, at)
        at = column.writeTo(target, at + header.length)
      }
      return at
    },
  }
}

function nativeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const prefix = Buffer.alloc(5)
  return Buffer.concat([prefix.subarray(0, writeVarint(prefix, 0, bytes.length)), bytes])
}

function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset
  while (value > 0x7f) {
    target[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  target[at++] = value
  return at
}
