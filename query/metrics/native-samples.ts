import type { NativeColumn } from '../../storage/storage.ts'

/** Columns of a block with their bytes in ClickHouse's Native format. */
export interface EncodedColumn extends NativeColumn {
  readonly bytes: Buffer
}

/** Writes one block in ClickHouse's Native format. */
export function nativeBlock(rows: number, columns: readonly EncodedColumn[]): Buffer {
  const parts = [varint(columns.length), varint(rows)]
  for (const { name, type, bytes } of columns) parts.push(text(name), text(type), bytes)
  return Buffer.concat(parts)
}

/** A column of texts. */
export function textColumn(name: string, values: readonly string[]): EncodedColumn {
  return { name, type: 'String', bytes: Buffer.concat(values.map(text)) }
}

/** A column of byte strings of one length. */
export function fixedColumn(name: string, length: number, values: readonly Uint8Array[]): EncodedColumn {
  return { name, type: `FixedString(${length})`, bytes: Buffer.concat(values) }
}

/** A column of numbers, each written by `write` into `width` bytes. */
export function numberColumn(
  name: string,
  type: string,
  width: number,
  values: readonly number[],
  write: (bytes: Buffer, value: number, offset: number) => void,
): EncodedColumn {
  const bytes = Buffer.alloc(values.length * width)
  for (const [index, value] of values.entries()) write(bytes, value, index * width)
  return { name, type, bytes }
}

/** A column of maps from text to text; each row is a flat list key, value, key, value …. */
export function mapColumn(name: string, rows: readonly (readonly string[])[]): EncodedColumn {
  const offsets = Buffer.alloc(rows.length * 8)
  let end = 0
  for (const [index, row] of rows.entries()) {
    end += row.length / 2
    offsets.writeBigUInt64LE(BigInt(end), index * 8)
  }
  const every = (parity: number) =>
    Buffer.concat(rows.flatMap((row) => row.filter((_, i) => i % 2 === parity).map(text)))
  return { name, type: 'Map(String, String)', bytes: Buffer.concat([offsets, every(0), every(1)]) }
}

/** A column of arrays of numbers, each number written by `write` into `width` bytes. */
export function arrayColumn(
  name: string,
  type: string,
  width: number,
  rows: readonly (readonly number[])[],
  write: (bytes: Buffer, value: number, offset: number) => void,
): EncodedColumn {
  const offsets = Buffer.alloc(rows.length * 8)
  let end = 0
  for (const [index, row] of rows.entries()) {
    end += row.length
    offsets.writeBigUInt64LE(BigInt(end), index * 8)
  }
  const items = numberColumn(name, type, width, rows.flat(), write)
  return { name, type: `Array(${type})`, bytes: Buffer.concat([offsets, items.bytes]) }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  return Buffer.concat([varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return Buffer.from([...bytes, rest])
}
