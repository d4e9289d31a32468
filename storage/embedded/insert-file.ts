import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

let nextNumber = 0

/** Writes the pieces of an insert to a new file that the engine can read. Throws what the file system throws. */
export async function createInsertFile(
  directory: string,
  pieces: readonly Uint8Array[],
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = join(directory, `insert-${process.pid}-${nextNumber++}.native`)
  const remove = () => rm(path, { force: true })
  const file = await open(path, 'wx')
  try {
    // The kernel takes at most 1024 pieces in one call.
    for (let start = 0; start < pieces.length; start += 1024) {
      await writeAll(file, pieces.slice(start, start + 1024))
    }
  } catch (error) {
    await file.close()
    await remove()
    throw error
  }
  await file.close()
  return { path, remove }
}

/** Removes the files that a process left behind when it was killed. Only the owner of the data directory may call it. */
export async function removeInsertFiles(directory: string): Promise<void> {
  const names = await readdir(directory)
  await Promise.all(
    names.filter((name) => /^insert-\d+-\d+\.native$/.test(name)).map((name) => rm(join(directory, name))),
  )
}

async function writeAll(
  file: {
    writev(pieces: readonly Uint8Array[]): Promise<{ bytesWritten: number }>
    write(piece: Uint8Array): Promise<{ bytesWritten: number }>
  },
  pieces: readonly Uint8Array[],
): Promise<void> {
  let { bytesWritten } = await file.writev(pieces)
  for (const piece of pieces) {
    // A short write: the rest goes piece by piece.
    let done = Math.min(bytesWritten, piece.byteLength)
    bytesWritten -= done
    while (done < piece.byteLength) done += (await file.write(piece.subarray(done))).bytesWritten
  }
}
