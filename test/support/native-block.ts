/** One column of a test block: its ClickHouse type (of those below) and its values, one per row. */
export interface TestColumn {
  readonly name: string
  readonly type: string
  readonly values: readonly unknown[]
}

/**
 * Writes one block in ClickHouse's Native format. Types: `String`, `FixedString(n)` (values in hex), `Map(String, String)`
 * (values: pairs), `Array(…)`, `Float64`, `Bool`, `Date` (days), `DateTime64(9, 'UTC')` (nanoseconds, bigint), integers.
 */
export function nativeBlock(columns: readonly TestColumn[]): Uint8Array {
  const rows = columns[0]?.values.length ?? 0
  const parts = [varuint(columns.length), varuint(rows)]
  for (const column of columns) {
    parts.push(text(column.name), text(column.type), columnBytes(column.type, column.values))
  }
  return Buffer.concat(parts)
}

function columnBytes(type: string, values: readonly unknown[]): Buffer {
  if (type === 'String') return Buffer.concat(values.map((value) => text(String(value))))
  if (type.startsWith('FixedString(')) {
    const width = Number(type.slice(12, -1))
    return Buffer.concat(
      values.map((value) => Buffer.from(String(value).padStart(width * 2, '0'), 'hex').subarray(0, width)),
    )
  }
  if (type === 'Map(String, String)') {
    const maps = values as readonly (readonly (readonly [string, string])[])[]
    return Buffer.concat([
      offsets(maps),
      columnBytes(
        'String',
        maps.flatMap((pairs) => pairs.map(([key]) => key)),
      ),
      columnBytes(
        'String',
        maps.flatMap((pairs) => pairs.map(([, value]) => value)),
      ),
    ])
  }
  if (type.startsWith('Array(')) {
    const arrays = values as readonly (readonly unknown[])[]
    return Buffer.concat([offsets(arrays), columnBytes(type.slice(6, -1), arrays.flat())])
  }
  return Buffer.concat(values.map((value) => number(type, value)))
}

function offsets(lists: readonly (readonly unknown[])[]): Buffer {
  let end = 0n
  return Buffer.concat(
    lists.map((list) => {
      end += BigInt(list.length)
      return number('UInt64', end)
    }),
  )
}

function number(type: string, value: unknown): Buffer {
  const bytes = Buffer.alloc(8)
  if (type === 'Bool') return Buffer.from([value === true ? 1 : 0])
  if (type === 'Date') return bytes.subarray(0, bytes.writeUInt16LE(Number(value)))
  if (type === 'Float64') return bytes.subarray(0, bytes.writeDoubleLE(Number(value)))
  const width = type.startsWith('DateTime64') ? 64 : Number(/\d+$/.exec(type)?.[0])
  if (!Number.isInteger(width)) throw new Error(`No writer for the type ${type}`)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value as bigint | number)))
  return bytes.subarray(0, width / 8)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([varuint(bytes.length), bytes])
}

function varuint(value: number): Buffer {
  const bytes: number[] = []
  while (value >= 128) {
    bytes.push((value % 128) + 128)
    value = Math.floor(value / 128)
  }
  return Buffer.from([...bytes, value])
}
