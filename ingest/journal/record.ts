import { crc32 } from 'node:zlib'
import type { Block } from '../native/block.ts'

const MAGIC = 0x524a574d // "MWJR"

/** Magic, payload length, CRC-32 of what follows, section count, rows, time of acceptance. */
export const RECORD_HEADER_BYTES = 32
const CHECKED_FROM = 12
const SECTION_HEADER_BYTES = 12

/** One group of requests, durable as a whole. */
export interface JournalRecord {
  /** When its first request was accepted, epoch milliseconds. */
  readonly acceptedAtMs: number
  readonly rows: number
  readonly sections: readonly RecordSection[]
}

/** The rows of one table in a record: a Native block. */
export interface RecordSection {
  /** Index in the segment header's list of tables. */
  readonly tableIndex: number
  readonly rows: number
  readonly block: Uint8Array
}

/** An upper bound of the bytes that {@link encodeRecord} writes. */
export function recordByteLength(blocks: readonly Block[]): number {
  let size = RECORD_HEADER_BYTES
  for (const block of blocks) if (block.rows() > 0) size += SECTION_HEADER_BYTES + block.byteLength()
  return size
}

/** Writes the blocks that have rows as one record at the start of `target`; returns its length. */
export function encodeRecord(blocks: readonly Block[], acceptedAtMs: number, target: Buffer): number {
  let at = RECORD_HEADER_BYTES
  let sections = 0
  let rows = 0
  for (const [tableIndex, block] of blocks.entries()) {
    if (block.rows() === 0) continue
    const start = at + SECTION_HEADER_BYTES
    const end = block.writeTo(target, start)
    target.writeUInt32LE(tableIndex, at)
    target.writeUInt32LE(block.rows(), at + 4)
    target.writeUInt32LE(end - start, at + 8)
    at = end
    sections++
    rows += block.rows()
  }
  target.writeUInt32LE(MAGIC, 0)
  target.writeUInt32LE(at - RECORD_HEADER_BYTES, 4)
  target.writeUInt32LE(sections, 12)
  target.writeUInt32LE(rows, 16)
  target.writeUInt32LE(0, 20)
  target.writeDoubleLE(acceptedAtMs, 24)
  target.writeUInt32LE(crc32(target.subarray(CHECKED_FROM, at)), 8)
  return at
}

/** The length of the record whose header starts at `offset`; null when no record can start there. */
export function peekRecordLength(bytes: Buffer, offset: number): number | null {
  if (offset + RECORD_HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== MAGIC) return null
  return RECORD_HEADER_BYTES + bytes.readUInt32LE(offset + 4)
}

/**
 * Reads the record at `offset`, checking its CRC; returns it with the offset behind it, or null when it is torn or broken.
 * Blocks are views into `bytes`.
 */
export function decodeRecord(bytes: Buffer, offset: number): { record: JournalRecord; end: number } | null {
  const length = peekRecordLength(bytes, offset)
  if (length === null) return null
  const end = offset + length
  if (
    end > bytes.length ||
    crc32(bytes.subarray(offset + CHECKED_FROM, end)) !== bytes.readUInt32LE(offset + 8)
  ) {
    return null
  }
  const sections: RecordSection[] = []
  let at = offset + RECORD_HEADER_BYTES
  for (let index = bytes.readUInt32LE(offset + 12); index > 0; index--) {
    const size = bytes.readUInt32LE(at + 8)
    const start = at + SECTION_HEADER_BYTES
    sections.push({
      tableIndex: bytes.readUInt32LE(at),
      rows: bytes.readUInt32LE(at + 4),
      block: bytes.subarray(start, start + size),
    })
    at = start + size
  }
  return {
    record: {
      acceptedAtMs: bytes.readDoubleLE(offset + 24),
      rows: bytes.readUInt32LE(offset + 16),
      sections,
    },
    end,
  }
}
