import type { NativeInsert } from './storage.ts'

/** Whose rows an insert holds, and how far back in time they reach. */
export interface InsertTimes {
  /** Null: it could not be read from the bytes, so anybody's. */
  readonly tenants: readonly string[] | null
  /** The earliest time of a row, epoch milliseconds, rounded down; -Infinity when it could not be read. */
  readonly earliestMs: number
}

const UNKNOWN: InsertTimes = { tenants: null, earliestMs: Number.NEGATIVE_INFINITY }
/** What a counter says of its beginning matters to a sample close behind it: a series that starts from 0 there. */
const MAX_START_AGE_MS = 600_000
/** Doubles hold nanoseconds of today to a quarter of a microsecond. */
const ROUNDING_MS = 1

/**
 * Reads tenants and times out of the Native bytes of an insert: the columns `tenant`, `ts` and, where it stands right behind `ts`, `start`. Never throws:
 * what cannot be read is unknown.
 */
export function readInsertTimes(insert: Pick<NativeInsert, 'blocks' | 'columns' | 'rows'>): InsertTimes {
  const tenants = new Set<string>()
  let earliestMs = Number.POSITIVE_INFINITY
  let rows = 0
  try {
    for (const piece of insert.blocks) {
      const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength)
      const walk: Walk = { bytes, view, at: 0, rows: 0 }
      earliestMs = Math.min(earliestMs, readBlock(walk, insert.columns, tenants))
      rows += walk.rows
    }
  } catch {
    return UNKNOWN
  }
  // A piece is usually one block, and only its beginning is read: if there is more in it, rows are missing.
  return rows === insert.rows ? { tenants: [...tenants], earliestMs } : UNKNOWN
}

interface Walk {
  readonly bytes: Buffer
  readonly view: DataView
  at: number
  rows: number
}

function readBlock(walk: Walk, columns: NativeInsert['columns'], tenants: Set<string>): number {
  const width = varint(walk)
  const rows = varint(walk)
  walk.rows = rows
  if (width !== columns.length) throw new RangeError('another number of columns')
  let times: Float64Array | null = null
  let earliestMs = Number.POSITIVE_INFINITY
  let hasTenant = false
  for (const column of columns) {
    if (text(walk) !== column.name || text(walk) !== column.type) throw new RangeError('another column')
    if (column.name === 'tenant') {
      readTexts(walk, column.type, rows, (value) => tenants.add(value))
      hasTenant = true
    } else if (column.name === 'ts') {
      times = readTimes(walk, column.type, rows)
      for (let row = 0; row < rows; row += 1) {
        const ms = times[row] as number
        if (ms < earliestMs) earliestMs = ms
      }
    } else if (column.name === 'start' && times !== null) {
      const starts = readTimes(walk, column.type, rows)
      for (let row = 0; row < rows; row += 1) {
        const start = starts[row] as number
        if (start >= earliestMs) continue
        const ageMs = (times[row] as number) - start
        if (ageMs > 0 && ageMs <= MAX_START_AGE_MS) earliestMs = start
      }
      return finish()
    } else if (times !== null) return finish()
    else skip(walk, column.type, rows)
  }
  return finish()

  function finish(): number {
    if (times === null || !hasTenant) throw new RangeError('no tenant or no time')
    return Math.floor(earliestMs) - ROUNDING_MS
  }
}

function readTimes(walk: Walk, type: string, rows: number): Float64Array {
  const precision = /^DateTime64\((\d)/.exec(type)?.[1]
  if (precision === undefined) throw new RangeError(`no time: ${type}`)
  const perMs = 10 ** (Number(precision) - 3)
  const from = walk.bytes.byteOffset + walk.at
  walk.at += rows * 8
  if (walk.at > walk.bytes.length) throw new RangeError('cut off')
  // Aligned, so that they can be read as words: there may be hundreds of thousands in a second.
  const words = new Uint32Array(walk.bytes.buffer.slice(from, from + rows * 8))
  const times = new Float64Array(rows)
  for (let row = 0; row < rows; row += 1) {
    times[row] = (((words[2 * row + 1] as number) | 0) * 2 ** 32 + (words[2 * row] as number)) / perMs
  }
  return times
}

/** Visits each text of a column, or of its dictionary. */
function readTexts(walk: Walk, type: string, rows: number, visit: (value: string) => void): void {
  if (type === 'String') {
    let before = ''
    for (let row = 0; row < rows; row += 1) {
      const value = text(walk)
      if (value !== before || row === 0) visit(value)
      before = value
    }
  } else if (type === 'LowCardinality(String)') readDictionary(walk, rows, () => visit(text(walk)))
  else throw new RangeError(`no text: ${type}`)
}

function skip(walk: Walk, type: string, rows: number): void {
  const fixed = fixedWidth(type)
  if (fixed !== null) {
    walk.at += fixed * rows
  } else if (type === 'String') {
    for (let row = 0; row < rows; row += 1) {
      const length = varint(walk)
      walk.at += length
    }
  } else if (type === 'LowCardinality(String)') {
    readDictionary(walk, rows, () => {
      const length = varint(walk)
      walk.at += length
    })
  } else throw new RangeError(`cannot be skipped: ${type}`)
  if (walk.at > walk.bytes.length) throw new RangeError('cut off')
}

const WIDTHS: Readonly<Record<string, number>> = {
  Bool: 1,
  UInt8: 1,
  Int8: 1,
  Date: 2,
  UInt16: 2,
  Int16: 2,
  UInt32: 4,
  Int32: 4,
  DateTime: 4,
  UInt64: 8,
  Int64: 8,
  Float64: 8,
}

function fixedWidth(type: string): number | null {
  const length = /^FixedString\((\d+)\)$/.exec(type)?.[1]
  if (length !== undefined) return Number(length)
  if (type.startsWith('DateTime64(')) return 8
  if (type.startsWith('Enum8(')) return 1
  return WIDTHS[type.replace(/\(.*$/, '')] ?? null
}

/** A LowCardinality column: version, flags, keys, an index per row. */
function readDictionary(walk: Walk, rows: number, readKey: () => void): void {
  walk.at += 8
  if (rows === 0) return
  const width = 2 ** (walk.view.getUint32(walk.at, true) & 0xff)
  const keys = walk.view.getUint32(walk.at + 8, true)
  walk.at += 16
  for (let key = 0; key < keys; key += 1) readKey()
  walk.at += 8 + rows * width
}

function varint(walk: Walk): number {
  let value = 0
  let factor = 1
  for (;;) {
    const byte = walk.view.getUint8(walk.at)
    walk.at += 1
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
    factor *= 128
  }
}

function text(walk: Walk): string {
  const length = varint(walk)
  const start = walk.at
  walk.at += length
  if (walk.at > walk.bytes.length) throw new RangeError('cut off')
  return walk.bytes.toString('utf8', start, walk.at)
}
