import { AppError } from '../runtime/errors.ts'
import type { Column, ColumnBlock, NumberArray } from './column-block.ts'

/**
 * Decodes blocks in ClickHouse's Native format, as far as statements of ours give them: numbers, Bool, Enum, Date, DateTime, DateTime64, String,
 * FixedString, Array, Map, and LowCardinality of texts. The columns own their memory. Throws AppError INTERNAL for other types and for bytes that end early.
 */
export function readNative(bytes: Buffer): ColumnBlock[] {
  const cursor: Cursor = { bytes, at: 0 }
  const blocks: ColumnBlock[] = []
  while (cursor.at < bytes.length) {
    const width = varint(cursor)
    const rows = varint(cursor)
    const columns = new Map<string, Column>()
    for (let index = 0; index < width; index += 1) {
      const name = text(cursor)
      const type = text(cursor)
      if (rows > 0) readPrefix(cursor, type)
      columns.set(name, readColumn(cursor, type, rows))
    }
    if (rows > 0) blocks.push({ rows, columns })
  }
  return blocks
}

interface Cursor {
  readonly bytes: Buffer
  at: number
}

function readColumn(cursor: Cursor, type: string, rows: number): Column {
  const makeNumbers = NUMBERS[/^[A-Za-z0-9]+/.exec(type)?.[0] ?? '']
  if (makeNumbers !== undefined) return { kind: 'number', values: readNumbers(cursor, makeNumbers, rows) }
  if (type === 'String') {
    const values: string[] = new Array(rows)
    for (let row = 0; row < rows; row += 1) values[row] = text(cursor)
    return { kind: 'text', values }
  }
  if (type.startsWith('FixedString(')) {
    const width = Number(inner(type))
    return { kind: 'bytes', width, values: Uint8Array.from(take(cursor, rows * width)) }
  }
  if (type.startsWith('Array(')) {
    const ends = readEnds(cursor, rows)
    return { kind: 'array', ends, elements: [readColumn(cursor, inner(type), ends[rows - 1] ?? 0)] }
  }
  if (type.startsWith('Map(')) {
    const ends = readEnds(cursor, rows)
    const elements = splitTypes(inner(type)).map((each) => readColumn(cursor, each, ends[rows - 1] ?? 0))
    return { kind: 'array', ends, elements }
  }
  if (type.startsWith('LowCardinality(')) return readLowCardinality(cursor, inner(type), rows)
  throw new AppError('INTERNAL', `Cannot read an answer of ClickHouse: no reader for the type ${type}`)
}

/** What stands in front of a column: a version for each dictionary in it. */
function readPrefix(cursor: Cursor, type: string): void {
  if (type.startsWith('LowCardinality(')) take(cursor, 8)
  else if (type.startsWith('Array(')) readPrefix(cursor, inner(type))
  else if (type.startsWith('Map(')) for (const each of splitTypes(inner(type))) readPrefix(cursor, each)
}

function readLowCardinality(cursor: Cursor, type: string, rows: number): Column {
  if (rows === 0) return { kind: 'text', values: [] }
  const indexWidth = 1 << (take(cursor, 8).readUInt8(0) & 0xf)
  const dictionary = readColumn(cursor, type, take(cursor, 8).readUInt32LE(0))
  if (dictionary.kind !== 'text' || take(cursor, 8).readUInt32LE(0) !== rows) {
    throw new AppError('INTERNAL', `Cannot read an answer of ClickHouse: a dictionary of ${type}`)
  }
  const indexes = take(cursor, rows * indexWidth)
  const values: string[] = new Array(rows)
  for (let row = 0; row < rows; row += 1) {
    values[row] = dictionary.values[indexes.readUIntLE(row * indexWidth, Math.min(indexWidth, 4))] ?? ''
  }
  return { kind: 'text', values }
}

/** How each type's numbers stand in memory, little-endian as this machine has them. */
const NUMBERS: Readonly<Record<string, (buffer: ArrayBuffer) => NumberArray>> = {
  Float64: (buffer) => new Float64Array(buffer),
  Float32: (buffer) => new Float32Array(buffer),
  Int8: (buffer) => new Int8Array(buffer),
  UInt8: (buffer) => new Uint8Array(buffer),
  Bool: (buffer) => new Uint8Array(buffer),
  Enum8: (buffer) => new Int8Array(buffer),
  Int16: (buffer) => new Int16Array(buffer),
  UInt16: (buffer) => new Uint16Array(buffer),
  Date: (buffer) => new Uint16Array(buffer),
  Int32: (buffer) => new Int32Array(buffer),
  UInt32: (buffer) => new Uint32Array(buffer),
  DateTime: (buffer) => new Uint32Array(buffer),
  Int64: (buffer) => new BigInt64Array(buffer),
  DateTime64: (buffer) => new BigInt64Array(buffer),
  UInt64: (buffer) => new BigUint64Array(buffer),
}

function readNumbers(cursor: Cursor, make: (buffer: ArrayBuffer) => NumberArray, count: number): NumberArray {
  const size = count * make(new ArrayBuffer(0)).BYTES_PER_ELEMENT
  const source = take(cursor, size)
  // A view would have to begin at a multiple of its width, and would keep the whole answer in memory.
  const copy = new Uint8Array(size)
  copy.set(source)
  return make(copy.buffer)
}

function readEnds(cursor: Cursor, rows: number): Float64Array {
  const ends = new Float64Array(rows)
  const source = take(cursor, rows * 8)
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
  for (let row = 0; row < rows; row += 1) {
    ends[row] = view.getUint32(row * 8, true) + view.getUint32(row * 8 + 4, true) * 2 ** 32
  }
  return ends
}

function inner(type: string): string {
  return type.slice(type.indexOf('(') + 1, -1)
}

function splitTypes(list: string): string[] {
  const parts: string[] = ['']
  let depth = 0
  for (const character of list) {
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim())
}

function take(cursor: Cursor, size: number): Buffer {
  const from = cursor.at
  cursor.at += size
  if (cursor.at > cursor.bytes.length) {
    throw new AppError('INTERNAL', 'Cannot read an answer of ClickHouse: it ends early')
  }
  return cursor.bytes.subarray(from, cursor.at)
}

function text(cursor: Cursor): string {
  const size = varint(cursor)
  const from = cursor.at
  cursor.at += size
  if (cursor.at > cursor.bytes.length) {
    throw new AppError('INTERNAL', 'Cannot read an answer of ClickHouse: it ends early')
  }
  return cursor.bytes.toString('utf8', from, cursor.at)
}

function varint(cursor: Cursor): number {
  let value = 0
  for (let factor = 1; ; factor *= 128) {
    const byte = cursor.bytes[cursor.at]
    if (byte === undefined) {
      throw new AppError('INTERNAL', 'Cannot read an answer of ClickHouse: it ends early')
    }
    cursor.at += 1
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
  }
}
