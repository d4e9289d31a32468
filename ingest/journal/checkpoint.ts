import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../runtime/errors.ts'
import { replaceFile } from './durable-file.ts'
import type { Position } from './position.ts'

const position = z.strictObject({ segment: z.int().nonnegative(), offset: z.int().nonnegative() })
const schema = z.strictObject({
  version: z.literal(1),
  journal: z.string().min(1),
  loaded: position,
  loading: position.nullable(),
})

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

/** Reads the checkpoint of a journal; null when there is none yet. Throws CANNOT_START when it is unreadable. */
export async function readCheckpoint(directory: string): Promise<Checkpoint | null> {
  const path = checkpointPath(directory)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const { journal, loaded, loading } = schema.parse(JSON.parse(text))
    return { journal, loaded, loading }
  } catch (error) {
    throw new AppError(
      'CANNOT_START',
      `Cannot read the journal's checkpoint ${path}: it is damaged. Restore it, or remove it to load everything in the journal again (rows may then be stored twice)`,
      { cause: error },
    )
  }
}

/** Replaces the checkpoint, durably when `isSynced`. */
export async function writeCheckpoint(
  directory: string,
  checkpoint: Checkpoint,
  isSynced: boolean,
): Promise<void> {
  await replaceFile(checkpointPath(directory), `${JSON.stringify({ version: 1, ...checkpoint })}\n`, isSynced)
}

function checkpointPath(directory: string): string {
  return join(directory, 'checkpoint.json')
}
