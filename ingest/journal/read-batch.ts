import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { NativeColumn } from '../../storage/storage.ts'
import type { TableName } from '../../storage/tables.ts'
import { type Position, segmentFileName } from './position.ts'
import { decodeRecord, peekRecordLength, RECORD_HEADER_BYTES } from './record.ts'
import { decodeSegmentHeader, MAX_SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header.ts'

/** The blocks of one table in a batch. */
export interface TableBatch {
  readonly table: TableName
  readonly columns: readonly NativeColumn[]
  readonly blocks: readonly Uint8Array[]
  readonly rows: number
}

/** Consecutive records of one segment, by table. */
export interface JournalBatch {
  readonly from: Position
  /** Behind the last record. */
  readonly to: Position
  readonly tables: readonly TableBatch[]
  readonly rows: number
  /** When the oldest and the newest record were accepted, epoch milliseconds. */
  readonly oldestAcceptedAtMs: number
  /** Set when the record at `to` is damaged: the rest of the segment cannot be read. */
  readonly isDamaged: boolean
}

/** How far to read. */
export interface ReadBatchOptions {
  readonly directory: string
  readonly from: Position
  /** Nothing behind it is read. */
  readonly until: Position
  /** Stop behind the first record that reaches it. */
  readonly maxBytes: number
}

/**
 * Reads records from one segment. `to` equals `from` when there is none before `until`. Throws the file system's errors.
 */
export async function readBatch(options: ReadBatchOptions): Promise<JournalBatch> {
  const { from, until } = options
  const path = join(options.directory, segmentFileName(from.segment))
  const size = await sizeOf(path)
  // A segment that was never made, or was loaded and removed: the next one follows.
  if (size === null) return emptyBatch(from, from, false)
  const end = until.segment === from.segment ? Math.min(size, until.offset) : size
  const file = await open(path, 'r')
  try {
    const head = await readHeader(file, size)
    if (head === null) return emptyBatch({ ...from, offset: size }, from, size > 0)
    const start = Math.max(from.offset, head.firstRecord)
    const bytes = Buffer.allocUnsafe(await batchLength(file, start, end, options.maxBytes))
    await file.read(bytes, 0, bytes.length, start)
    return collect(bytes, start, from, head.header)
  } finally {
    await file.close()
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

type File = Awaited<ReturnType<typeof open>>

async function readHeader(
  file: File,
  size: number,
): Promise<{ header: SegmentHeader; firstRecord: number } | null> {
  const head = Buffer.alloc(Math.min(size, MAX_SEGMENT_HEADER_BYTES))
  await file.read(head, 0, head.length, 0)
  return decodeSegmentHeader(head)
}

/** `maxBytes`, or the first record where that alone is longer. */
async function batchLength(file: File, start: number, end: number, maxBytes: number): Promise<number> {
  const available = Math.max(0, end - start)
  if (available <= maxBytes) return available
  const header = Buffer.alloc(RECORD_HEADER_BYTES)
  await file.read(header, 0, header.length, start)
  return Math.min(available, Math.max(maxBytes, peekRecordLength(header, 0) ?? 0))
}

function collect(bytes: Buffer, start: number, from: Position, header: SegmentHeader): JournalBatch {
  const tables = header.tables.map(() => ({ blocks: [] as Uint8Array[], rows: 0 }))
  let at = 0
  let rows = 0
  let oldestAcceptedAtMs = Number.POSITIVE_INFINITY
  let isDamaged = false
  while (at < bytes.length) {
    const length = peekRecordLength(bytes, at)
    if (length !== null && at + length > bytes.length) break
    const decoded = length === null ? null : decodeRecord(bytes, at)
    if (decoded === null) {
      isDamaged = length !== null || at + RECORD_HEADER_BYTES <= bytes.length
      break
    }
    for (const section of decoded.record.sections) {
      const table = tables[section.tableIndex]
      if (table === undefined) continue
      table.blocks.push(section.block)
      table.rows += section.rows
    }
    rows += decoded.record.rows
    oldestAcceptedAtMs = Math.min(oldestAcceptedAtMs, decoded.record.acceptedAtMs)
    at = decoded.end
  }
  return {
    from,
    to: at === 0 ? from : { segment: from.segment, offset: start + at },
    tables: tables.flatMap(({ blocks, rows: tableRows }, index) => {
      const described = header.tables[index]
      if (described === undefined || tableRows === 0) return []
      return [{ table: described.table, columns: described.structure, blocks, rows: tableRows }]
    }),
    rows,
    oldestAcceptedAtMs,
    isDamaged,
  }
}

function emptyBatch(to: Position, from: Position, isDamaged: boolean): JournalBatch {
  return { from, to, tables: [], rows: 0, oldestAcceptedAtMs: Number.POSITIVE_INFINITY, isDamaged }
}
