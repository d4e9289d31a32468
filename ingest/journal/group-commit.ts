import type { Clock } from '../../runtime/clock.ts'
import type { Block } from '../native/block.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { Position } from './position.ts'
import { encodeRecord, recordByteLength } from './record.ts'

/** Makes what gathers in blocks durable, many requests with one fsync. */
export interface GroupCommit {
  /**
   * Call after rows were added, with the bytes of the message they came from: resolves when they are durable, rejects with
   * JOURNAL_UNWRITABLE when they will not be.
   */
  commit(messageBytes: number): Promise<void>
  /** Bytes of the messages that gather or are being written. */
  pendingBytes(): number
  /** Waits for what is under way. */
  close(): Promise<void>
}

/** What a group commit works with. */
export interface GroupCommitOptions {
  readonly blocks: readonly Block[]
  readonly writer: JournalWriter
  readonly clock: Clock
  /**
   * Empties the blocks after they were copied. `areWritten` false: their rows, or those of the record before, are given up, and what
   * stands once in the journal must be written again.
   */
  readonly resetBlocks: (areWritten: boolean) => void
  /** A record is durable. */
  readonly onCommitted: (end: Position, bytes: number, acceptedAtMs: number) => void
}

interface Group {
  readonly acceptedAtMs: number
  messageBytes: number
  readonly done: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

const FIRST_BUFFER_BYTES = 4 << 20
const KEEP_BUFFER_BYTES = 64 << 20

/**
 * While one record is written and synced, the requests that arrive gather in the blocks; when it is durable they become the
 * next record. So the disk is never idle under load, and a single request waits for one fsync only.
 */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { blocks, writer, clock } = options
  let gathering: Group | null = null
  let writing: Promise<void> | null = null
  let writingBytes = 0
  let buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES)

  function begin(): Group {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    return { acceptedAtMs: clock.now(), messageBytes: 0, done: promise, resolve, reject }
  }

  function takeRecord(group: Group): Uint8Array {
    const needed = recordByteLength(blocks)
    if (needed > buffer.length || (buffer.length > KEEP_BUFFER_BYTES && needed < KEEP_BUFFER_BYTES / 2)) {
      buffer = Buffer.allocUnsafeSlow(Math.max(FIRST_BUFFER_BYTES, needed + (needed >> 1)))
    }
    const length = encodeRecord(blocks, group.acceptedAtMs, buffer)
    return buffer.subarray(0, length)
  }

  async function write(group: Group): Promise<void> {
    try {
      const record = takeRecord(group)
      options.resetBlocks(true)
      const end = await writer.append(record)
      options.onCommitted(end, record.length, group.acceptedAtMs)
      group.resolve()
    } catch (error) {
      giveUp(group, error)
    }
  }

  function giveUp(group: Group, error: unknown): void {
    // What gathered meanwhile may refer to origins in the lost record: it goes with it, and its senders come again.
    options.resetBlocks(false)
    group.reject(error)
    gathering?.reject(error)
    gathering = null
  }

  function schedule(): void {
    // The requests that the event loop has at hand join the group before it is written.
    setImmediate(() => {
      const group = gathering
      if (group === null) {
        writing = null
        return
      }
      gathering = null
      writingBytes = group.messageBytes
      void write(group).then(() => {
        writingBytes = 0
        if (gathering === null) writing = null
        else schedule()
      })
    })
  }

  return {
    commit: (messageBytes) => {
      gathering ??= begin()
      gathering.messageBytes += messageBytes
      const { done } = gathering
      if (writing === null) {
        writing = done.catch(() => undefined)
        schedule()
      }
      return done
    },
    pendingBytes: () => (gathering?.messageBytes ?? 0) + writingBytes,
    close: async () => {
      while (gathering !== null || writing !== null) {
        const group: Group | null = gathering
        await (group?.done ?? writing)?.catch(() => undefined)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await writer.close()
    },
  }
}
