import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of an append: about one journal record under load. */
const RECORD_BYTES = 256 * 1024

/** Appends to a file and syncs, one after the other, `count` times; returns how long each took, milliseconds. */
export async function measureFsync(directory: string, count: number, pauseMs = 0): Promise<number[]> {
  const path = join(directory, 'fsync-probe')
  const file = await open(path, 'w')
  const bytes = Buffer.alloc(RECORD_BYTES, 1)
  const times: number[] = []
  try {
    for (let index = 0; index < count; index++) {
      const begun = performance.now()
      await file.write(bytes)
      await file.datasync()
      times.push(performance.now() - begun)
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    return times
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}
