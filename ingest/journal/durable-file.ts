import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Makes creations, renames and removals in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/**
 * Makes a directory where it is missing, with its parents, and all of that durable: what is synced inside a directory that
 * a power cut takes away is lost all the same. Throws the file system's errors.
 */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode })
  for (let child = resolve(path); child !== dirname(child); child = dirname(child)) {
    // Above our own directories there may be some that this user may not read; they are older than this process.
    await syncDirectory(dirname(child)).catch(() => undefined)
  }
}

/** Replaces a file's content so that after a crash either the old or the new content is there, whole. */
export async function replaceFile(path: string, content: Uint8Array, isSynced: boolean): Promise<void> {
  const temporary = `${path}.new`
  try {
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(content)
      if (isSynced) await file.datasync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  if (isSynced) await syncDirectory(dirname(path))
}
