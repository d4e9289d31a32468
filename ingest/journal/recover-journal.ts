import { randomUUID } from 'node:crypto'
import { open, readdir, rename, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../runtime/logger.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { makeDirectory } from './durable-file.ts'
import { comparePositions, type Position, segmentFileName, segmentOfFileName } from './position.ts'
import { decodeRecord, peekRecordLength, RECORD_HEADER_BYTES } from './record.ts'
import { decodeSegmentHeader, MAX_SEGMENT_HEADER_BYTES } from './segment-header.ts'

/** What a journal holds when it is opened. */
export interface RecoveredJournal {
  readonly checkpoint: Checkpoint
  /** Behind the last good record. */
  readonly end: Position
  /** The number for the next segment. */
  readonly nextSegment: number
  /** Bytes between the checkpoint and the end. */
  readonly pendingBytes: number
  /** Bytes of torn or broken records that were cut off, and where. */
  readonly cuts: readonly { readonly segment: number; readonly offset: number; readonly bytes: number }[]
}

/**
 * Opens the journal in `directory` (made when missing): checks every record behind the checkpoint and cuts each segment at
 * its last good record. What is cut off is kept beside it as `SEGMENT.wal.cut` and reported.
 * Throws CANNOT_START when the checkpoint is damaged, and the file system's errors.
 */
export async function recoverJournal(directory: string, logger: Logger): Promise<RecoveredJournal> {
  await makeDirectory(directory, 0o700)
  const segments = await listSegments(directory)
  let checkpoint = await readCheckpoint(directory)
  if (checkpoint === null) {
    checkpoint = { journal: randomUUID(), loaded: { segment: segments[0] ?? 1, offset: 0 }, loading: null }
    await writeCheckpoint(directory, checkpoint, true)
  }
  let end = checkpoint.loaded
  let pendingBytes = 0
  const cuts: { segment: number; offset: number; bytes: number }[] = []
  for (const segment of segments) {
    if (segment < checkpoint.loaded.segment) continue
    const path = join(directory, segmentFileName(segment))
    const from = segment === checkpoint.loaded.segment ? checkpoint.loaded.offset : 0
    const { goodEnd, size } = await findGoodEnd(path, from)
    if (goodEnd < size) {
      // A full disk has no room for the copy; the cut itself needs none.
      await keepTail(path, goodEnd, size).catch(() => undefined)
      await truncate(path, goodEnd)
      cuts.push({ segment, offset: goodEnd, bytes: size - goodEnd })
      logger.warn(
        { event: 'journal_cut', segment, offset: goodEnd, bytes: size - goodEnd },
        'The journal had a torn or damaged record: it was cut at the last good one',
      )
    }
    pendingBytes += Math.max(0, goodEnd - from)
    const segmentEnd = { segment, offset: goodEnd }
    if (comparePositions(segmentEnd, end) > 0) end = segmentEnd
  }
  const last = Math.max(checkpoint.loaded.segment, segments.at(-1) ?? 0)
  return { checkpoint, end, nextSegment: last + 1, pendingBytes, cuts }
}

/** The numbers of the segments in a journal's directory, ascending. */
export async function listSegments(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names
    .map(segmentOfFileName)
    .filter((segment) => segment !== null)
    .sort((a, b) => a - b)
}

async function findGoodEnd(path: string, from: number): Promise<{ goodEnd: number; size: number }> {
  const { size } = await stat(path)
  const file = await open(path, 'r')
  try {
    let at = from
    if (at === 0) {
      const head = Buffer.alloc(Math.min(size, MAX_SEGMENT_HEADER_BYTES))
      await file.read(head, 0, head.length, 0)
      const header = decodeSegmentHeader(head)
      if (header === null) return { goodEnd: 0, size }
      at = header.firstRecord
    }
    const recordHeader = Buffer.alloc(RECORD_HEADER_BYTES)
    while (at < size) {
      const { bytesRead } = await file.read(recordHeader, 0, RECORD_HEADER_BYTES, at)
      const length = bytesRead < RECORD_HEADER_BYTES ? null : peekRecordLength(recordHeader, 0)
      if (length === null || at + length > size) break
      const bytes = Buffer.allocUnsafe(length)
      await file.read(bytes, 0, length, at)
      if (decodeRecord(bytes, 0) === null) break
      at += length
    }
    return { goodEnd: Math.min(at, size), size }
  } finally {
    await file.close()
  }
}

/** Keeps the tail for whoever wants to look into it. */
async function keepTail(path: string, goodEnd: number, size: number): Promise<void> {
  const source = await open(path, 'r')
  const tail = await open(`${path}.cut.new`, 'w', 0o600)
  try {
    const piece = Buffer.allocUnsafe(1 << 20)
    for (let at = goodEnd; at < size; ) {
      const { bytesRead } = await source.read(piece, 0, Math.min(piece.length, size - at), at)
      if (bytesRead === 0) break
      await tail.write(piece, 0, bytesRead)
      at += bytesRead
    }
  } finally {
    await source.close()
    await tail.close()
  }
  await rename(`${path}.cut.new`, `${path}.cut`)
}
