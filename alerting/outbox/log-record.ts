import { crc32 } from 'node:zlib'

const HEADER_BYTES = 8
/** Longer than anything that is written; a length beyond it is damage. */
const MAX_RECORD_BYTES = 64 << 20

/** A record: length and CRC-32 of a JSON text, the text. */
export function encodeLogRecord(entry: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(entry), 'utf8')
  const record = Buffer.allocUnsafe(HEADER_BYTES + json.length)
  record.writeUInt32LE(json.length, 0)
  record.writeUInt32LE(crc32(json), 4)
  json.copy(record, HEADER_BYTES)
  return record
}

/** Reads records up to the first that is torn or broken. `goodBytes`: where it begins, or the length of all. */
export function decodeLogRecords(bytes: Buffer): { entries: unknown[]; goodBytes: number } {
  const entries: unknown[] = []
  let at = 0
  while (at + HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at)
    const end = at + HEADER_BYTES + length
    if (length === 0 || length > MAX_RECORD_BYTES || end > bytes.length) break
    const json = bytes.subarray(at + HEADER_BYTES, end)
    if (crc32(json) !== bytes.readUInt32LE(at + 4)) break
    entries.push(JSON.parse(json.toString('utf8')))
    at = end
  }
  return { entries, goodBytes: at }
}
