/** Rows of a Native block by column name: text for strings, hex for FixedString, `bigint` for 64-bit numbers, pairs for maps. */
export type NativeRow = Record<string, unknown>

/**
 * Reads one block in ClickHouse's Native format as ingest writes it (the types that its columns have). Doubles are
 * their 64 bits in hex, so that every NaN differs from every other value.
 */
export function readNative(bytes: Buffer): NativeRow[] {
  const cursor: Cursor = { bytes, at: 0 }
  const columns = varint(cursor)
  const rows = varint(cursor)
  const out: NativeRow[] = Array.from({ length: rows }, () => ({}))
  for (let index = 0; index < columns; index++) {
    const name = text(cursor)
    const type = text(cursor)
    if (rows === 0) continue
    for (const [row, value] of readColumn(cursor, type, rows).entries()) {
      const target = out[row]
      if (target !== undefined) target[name] = value
    }
  }
  if (cursor.at !== bytes.length) throw new RangeError(`${bytes.length - cursor.at} bytes are left`)
  return out
}

interface Cursor {
  readonly bytes: Buffer
  at: number
}

function readColumn(cursor: Cursor, type: string, rows: number): unknown[] {
  if (type.startsWith('LowCardinality(')) {
    cursor.at += 8
    return readLowCardinality(cursor, inner(type), rows)
  }
  if (type.startsWith('Map(LowCardinality(String), String')) {
    cursor.at += 8
    const ends = many(rows, () => Number(uint64(cursor)))
    const total = ends.at(-1) ?? 0
    const keys = total === 0 ? [] : readLowCardinality(cursor, 'String', total)
    const values = many(total, () => text(cursor))
    return cut(
      ends,
      keys.map((key, index) => [key, values[index]]),
    )
  }
  if (type.startsWith('Array(')) {
    const ends = many(rows, () => Number(uint64(cursor)))
    return cut(ends, readColumn(cursor, inner(type), ends.at(-1) ?? 0))
  }
  return many(rows, () => readValue(cursor, type))
}

function readLowCardinality(cursor: Cursor, type: string, rows: number): unknown[] {
  const flags = uint64(cursor)
  const size = Number(uint64(cursor))
  const dictionary = many(size, () => readValue(cursor, type))
  if (Number(uint64(cursor)) !== rows) throw new RangeError('the index has another number of rows')
  const width = 1 << Number(flags & 0xffn)
  return many(rows, () => {
    const index = cursor.bytes.readUIntLE(cursor.at, width)
    cursor.at += width
    if (index >= size) throw new RangeError(`index ${index} in a dictionary of ${size}`)
    return dictionary[index]
  })
}

function readValue(cursor: Cursor, type: string): unknown {
  if (type === 'String') return text(cursor)
  if (type.startsWith('FixedString(')) return take(cursor, Number(inner(type))).toString('hex')
  if (type === 'Float64') return take(cursor, 8).toString('hex')
  if (type === 'Int64') return take(cursor, 8).readBigInt64LE()
  if (type === 'UInt64' || type.startsWith('DateTime64')) return uint64(cursor)
  if (type === 'UInt32' || type === 'DateTime') return take(cursor, 4).readUInt32LE()
  if (type === 'Int32') return take(cursor, 4).readInt32LE()
  if (type === 'UInt16' || type === 'Date') return take(cursor, 2).readUInt16LE()
  if (type === 'Int16') return take(cursor, 2).readInt16LE()
  if (type === 'Int8') return take(cursor, 1).readInt8()
  if (type === 'UInt8' || type === 'Bool' || type.startsWith('Enum8(')) return take(cursor, 1).readUInt8()
  throw new RangeError(`no reader for ${type}`)
}

function inner(type: string): string {
  return type.slice(type.indexOf('(') + 1, -1)
}

function cut<T>(ends: readonly number[], values: readonly T[]): T[][] {
  return ends.map((end, index) => values.slice(ends[index - 1] ?? 0, end))
}

function many<T>(count: number, read: () => T): T[] {
  return Array.from({ length: count }, read)
}

function take(cursor: Cursor, size: number): Buffer {
  cursor.at += size
  if (cursor.at > cursor.bytes.length) throw new RangeError('the block ends early')
  return cursor.bytes.subarray(cursor.at - size, cursor.at)
}

function uint64(cursor: Cursor): bigint {
  return take(cursor, 8).readBigUInt64LE()
}

function text(cursor: Cursor): string {
  return take(cursor, varint(cursor)).toString('utf8')
}

function varint(cursor: Cursor): number {
  let value = 0
  for (let factor = 1; ; factor *= 128) {
    const byte = take(cursor, 1).readUInt8()
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
  }
}
