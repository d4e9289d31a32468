import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { SUCCESSORS, TABLES, type TableName } from '../../storage/tables.ts'

const MAGIC = 0x534a574d // "MWJS"
const VERSION = 1
const FIXED_BYTES = 16

/** A journal that was written before a table was replaced is loaded into the new one. */
const tableName = z
  .string()
  .transform((name) => SUCCESSORS[name] ?? name)
  .pipe(z.enum(TABLES))

const schema = z.strictObject({
  journal: z.string(),
  segment: z.int(),
  tables: z.array(
    z.strictObject({
      table: tableName,
      structure: z.array(z.strictObject({ name: z.string(), type: z.string() })),
    }),
  ),
})

/** What stands at the start of a segment: whose it is, and the columns of the blocks in its records. */
export interface SegmentHeader {
  /** The journal's own id: part of every deduplication token, so that two processes never share one. */
  readonly journal: string
  readonly segment: number
  /** Records name their tables by index in this list. */
  readonly tables: readonly {
    readonly table: TableName
    readonly structure: readonly { readonly name: string; readonly type: string }[]
  }[]
}

/** The header as bytes: magic, version, length and CRC-32 of a JSON text, the text. */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header), 'utf8')
  const bytes = Buffer.alloc(FIXED_BYTES + json.length)
  bytes.writeUInt32LE(MAGIC, 0)
  bytes.writeUInt32LE(VERSION, 4)
  bytes.writeUInt32LE(json.length, 8)
  bytes.writeUInt32LE(crc32(json), 12)
  json.copy(bytes, FIXED_BYTES)
  return bytes
}

/** Reads the header at the start of a segment; returns it with the offset of the first record, or null when it is broken. */
export function decodeSegmentHeader(bytes: Buffer): { header: SegmentHeader; firstRecord: number } | null {
  if (bytes.length < FIXED_BYTES || bytes.readUInt32LE(0) !== MAGIC || bytes.readUInt32LE(4) !== VERSION)
    return null
  const end = FIXED_BYTES + bytes.readUInt32LE(8)
  if (end > bytes.length) return null
  const json = bytes.subarray(FIXED_BYTES, end)
  if (crc32(json) !== bytes.readUInt32LE(12)) return null
  const parsed = schema.safeParse(JSON.parse(json.toString('utf8')))
  return parsed.success ? { header: parsed.data, firstRecord: end } : null
}

/** Upper bound of a header's size, for readers. */
export const MAX_SEGMENT_HEADER_BYTES = 1 << 18
