import {
  type FileHandle,
  mkdir,
  open as openFile,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { decodeLogRecords, encodeLogRecord } from './log-record.ts'

/** A list of JSON values on disk that only grows, and is replaced as a whole now and then. */
export interface DurableLog {
  /** Resolves when the entries are on disk (fsync). Rejects when they are not; then none of them will be. */
  append(entries: readonly unknown[]): Promise<void>
  /** Replaces everything by these entries: after a crash either the old or the new content is there, whole. */
  replace(entries: readonly unknown[]): Promise<void>
  /** Bytes of the file. */
  sizeBytes(): number
  /** Waits for what is under way. */
  close(): Promise<void>
}

/** A log as it was found. */
export interface OpenedLog {
  readonly log: DurableLog
  readonly entries: readonly unknown[]
  /** Bytes behind the last good record; they were put aside in a file beside it. 0: none. */
  readonly damagedBytes: number
}

interface Batch {
  readonly records: Buffer[]
  readonly done: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

function newBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  return { records: [], done: promise, resolve, reject }
}

const FILE = /^outbox-(\d{8})\.log$/

/** Opens the log of a directory, which is made when it is missing. One process at a time. Throws what the file system throws. */
export async function openDurableLog(directory: string): Promise<OpenedLog> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const names = await readdir(directory)
  const generations = names
    .flatMap((name) => FILE.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
  let generation = generations.at(-1) ?? 0
  const path = (number: number) => join(directory, `outbox-${String(number).padStart(8, '0')}.log`)
  const bytes = generations.length === 0 ? Buffer.alloc(0) : await readFile(path(generation))
  const { entries, goodBytes } = decodeLogRecords(bytes)
  const damagedBytes = bytes.length - goodBytes
  if (damagedBytes > 0) await writeFile(`${path(generation)}.damaged`, bytes.subarray(goodBytes))
  let file = await openFile(path(generation), generations.length === 0 ? 'wx' : 'r+', 0o600)
  if (damagedBytes > 0) await file.truncate(goodBytes)
  await file.datasync()
  await syncDirectory(directory)
  for (const older of generations.slice(0, -1)) await rm(path(older), { force: true })
  for (const name of names.filter((known) => known.endsWith('.new'))) {
    await rm(join(directory, name), { force: true })
  }

  let size = goodBytes
  let isTailClean = true
  /** Takes what is appended until it is written; replacing closes it, so that nothing appended later goes into the old file. */
  let open: Batch | null = null
  let running: Promise<void> = Promise.resolve()

  async function write(batch: Batch): Promise<void> {
    if (open === batch) open = null
    try {
      // What a failed write left behind would hide everything after it.
      if (!isTailClean) await file.truncate(size)
      isTailClean = false
      const records = Buffer.concat(batch.records)
      await writeFully(file, records, size)
      await file.datasync()
      size += records.length
      isTailClean = true
      batch.resolve()
    } catch (error) {
      batch.reject(error)
    }
  }

  async function replaceNow(content: Buffer): Promise<void> {
    const next = path(generation + 1)
    const written = await openFile(`${next}.new`, 'w', 0o600)
    try {
      await writeFully(written, content, 0)
      await written.datasync()
      await rename(`${next}.new`, next)
      await syncDirectory(directory)
    } catch (error) {
      await written.close()
      // A full disk must not be made fuller.
      await rm(`${next}.new`, { force: true })
      throw error
    }
    await file.close()
    await rm(path(generation), { force: true })
    file = written
    generation += 1
    size = content.length
    isTailClean = true
  }

  return {
    entries,
    damagedBytes,
    log: {
      append: (added) => {
        if (open === null) {
          const batch = newBatch()
          open = batch
          running = running.then(() => write(batch))
        }
        // What comes while one batch is synced becomes the next batch.
        open.records.push(...added.map(encodeLogRecord))
        return open.done
      },
      replace: (all) => {
        open = null
        const content = Buffer.concat(all.map(encodeLogRecord))
        const done = running.then(() => replaceNow(content))
        running = done.catch(() => undefined)
        return done
      },
      sizeBytes: () => size,
      close: async () => {
        await running
        await file.close()
      },
    },
  }
}

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await openFile(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
