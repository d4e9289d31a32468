import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import { syncDirectory } from './durable-file.ts'
import { type Position, segmentFileName } from './position.ts'
import { encodeSegmentHeader, type SegmentHeader } from './segment-header.ts'

/** Appends records to the journal. One append at a time. */
export interface JournalWriter {
  /**
   * Writes the record and, with fsync on, waits until it is on the disk. Returns the position behind it. When it throws
   * (JOURNAL_UNWRITABLE) the journal is as before and the next append may succeed.
   */
  append(record: Uint8Array): Promise<Position>
  close(): Promise<void>
}

/** Where and how to write. */
export interface JournalWriterOptions {
  readonly directory: string
  /** The number of the first segment to make; none of that number or above may exist. */
  readonly firstSegment: number
  readonly journal: string
  readonly tables: SegmentHeader['tables']
  readonly isSynced: boolean
  /** A new segment is begun when the present one would grow beyond it. */
  readonly segmentBytes: number
}

interface OpenSegment {
  readonly number: number
  readonly path: string
  readonly file: FileHandle
  readonly firstRecord: number
  end: number
}

/** Makes a writer; the first segment is made by the first append. */
export function createJournalWriter(options: JournalWriterOptions): JournalWriter {
  let next = options.firstSegment
  let current: OpenSegment | null = null

  async function openSegment(): Promise<OpenSegment> {
    const number = next
    const path = join(options.directory, segmentFileName(number))
    const header = encodeSegmentHeader({ journal: options.journal, segment: number, tables: options.tables })
    const file = await open(path, 'wx', 0o600)
    try {
      await file.write(header, 0, header.length, 0)
      if (options.isSynced) {
        await file.datasync()
        await syncDirectory(options.directory)
      }
    } catch (error) {
      await file.close().catch(() => undefined)
      await rm(path, { force: true }).catch(() => undefined)
      throw error
    }
    next = number + 1
    return { number, path, file, firstRecord: header.length, end: header.length }
  }

  async function abandon(segment: OpenSegment): Promise<void> {
    current = null
    // After a failed write or fsync the kernel's pages may not be what the disk has: nothing more goes into this file,
    // and what was not acknowledged is cut off so that it is not loaded.
    await segment.file.truncate(segment.end).catch(() => undefined)
    await segment.file.close().catch(() => undefined)
    // While a disk is full every try makes a segment: those without a record would only take the last room there is.
    if (segment.end === segment.firstRecord) await rm(segment.path, { force: true }).catch(() => undefined)
  }

  async function writeWhole(segment: OpenSegment, record: Uint8Array): Promise<void> {
    let written = 0
    while (written < record.length) {
      const { bytesWritten } = await segment.file.write(
        record,
        written,
        record.length - written,
        segment.end + written,
      )
      written += bytesWritten
    }
    if (options.isSynced) await segment.file.datasync()
  }

  return {
    append: async (record) => {
      try {
        if (current !== null && current.end + record.length > options.segmentBytes) {
          const full = current
          current = null
          await full.file.close()
        }
        current ??= await openSegment()
        const segment = current
        try {
          await writeWhole(segment, record)
        } catch (error) {
          await abandon(segment)
          throw error
        }
        segment.end += record.length
        return { segment: segment.number, offset: segment.end }
      } catch (error) {
        throw new AppError(
          'JOURNAL_UNWRITABLE',
          `Cannot write to the journal in ${options.directory}: ${reasonOf(error)}`,
          { cause: error, retryAfterMs: 5_000 },
        )
      }
    },
    close: async () => {
      await current?.file.close()
      current = null
    },
  }
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC') return 'no space is left on the disk'
  if (code === 'EROFS') return 'the file system is read-only'
  if (code === 'EDQUOT') return 'the disk quota is used up'
  return errorMessage(error)
}
