import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { AppError } from '../../runtime/errors.ts'
import { replaceFile } from './durable-file.ts'
import type { Position } from './position.ts'

const position = z.strictObject({ segment: z.int().nonnegative(), offset: z.int().nonnegative() })
const schema = z.strictObject({
  version: z.literal(1),
  /** Which of the two slots is the newer one. */
  sequence: z.int().nonnegative(),
  journal: z.string().min(1),
  loaded: position,
  loading: position.nullable(),
})

const SLOT_BYTES = 4096
const CRC_DIGITS = 8

/** How far the journal is in ClickHouse. */
export interface Checkpoint {
  /** The journal's own id. */
  readonly journal: string
  /** Everything before it is in ClickHouse. */
  readonly loaded: Position
  /**
   * Where the load that was begun ends: written before its first insert, so that after a crash the same range is inserted
   * under the same tokens, and what was already there is recognised.
   */
  readonly loading: Position | null
}

type Slot = z.output<typeof schema>

/**
 * Reads the checkpoint of a journal; null when there is none yet. A write that was cut short is as if it had not begun.
 * Throws CANNOT_START when it is unreadable.
 */
export async function readCheckpoint(directory: string): Promise<Checkpoint | null> {
  const slots = await readSlots(directory)
  if (slots === null) return null
  const newest = newestSlot(slots)
  if (newest === null) {
    throw new AppError(
      'CANNOT_START',
      `Cannot read the journal's checkpoint ${checkpointPath(directory)}: it is damaged. Restore it, or remove it to load everything in the journal again (rows may then be stored twice)`,
    )
  }
  const { journal, loaded, loading } = newest
  return { journal, loaded, loading }
}

/**
 * Replaces the checkpoint, durably when `isSynced`. It has two slots in one file, written in turn: a write needs no room on
 * the disk, so that a journal that has filled its disk can still be emptied, and a torn one leaves the other slot.
 */
export async function writeCheckpoint(
  directory: string,
  checkpoint: Checkpoint,
  isSynced: boolean,
): Promise<void> {
  const slots = await readSlots(directory)
  if (slots === null) {
    const first = encodeSlot({ version: 1, sequence: 0, ...checkpoint })
    await replaceFile(checkpointPath(directory), Buffer.concat([first, emptySlot()]), isSynced)
    return
  }
  const newest = newestSlot(slots)
  const slot = encodeSlot({ version: 1, sequence: (newest?.sequence ?? 0) + 1, ...checkpoint })
  const file = await open(checkpointPath(directory), 'r+')
  try {
    await file.write(slot, 0, slot.length, newest === slots[0] ? SLOT_BYTES : 0)
    if (isSynced) await file.datasync()
  } finally {
    await file.close()
  }
}

type Slots = readonly [Slot | null, Slot | null]

async function readSlots(directory: string): Promise<Slots | null> {
  try {
    const bytes = await readFile(checkpointPath(directory))
    return [decodeSlot(bytes.subarray(0, SLOT_BYTES)), decodeSlot(bytes.subarray(SLOT_BYTES))]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function newestSlot([first, second]: Slots): Slot | null {
  if (first === null || second === null) return first ?? second
  return first.sequence > second.sequence ? first : second
}

/** A slot's text: CRC-32 of the JSON in hex, a space, the JSON, a line end; spaces up to the slot's size. */
function encodeSlot(slot: Slot): Buffer {
  const json = JSON.stringify(slot)
  const bytes = emptySlot()
  bytes.write(`${checksum(json)} ${json}\n`, 'utf8')
  return bytes
}

function emptySlot(): Buffer {
  return Buffer.alloc(SLOT_BYTES, ' ')
}

function decodeSlot(bytes: Buffer): Slot | null {
  const text = bytes.toString('utf8')
  const json = text.slice(CRC_DIGITS + 1, text.indexOf('\n'))
  if (json === '' || text.slice(0, CRC_DIGITS) !== checksum(json)) return null
  return schema.safeParse(JSON.parse(json)).data ?? null
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(CRC_DIGITS, '0')
}

function checkpointPath(directory: string): string {
  return join(directory, 'checkpoint')
}
