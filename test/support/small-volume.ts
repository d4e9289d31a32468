import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own that can be filled to the last byte. */
export interface SmallVolume {
  readonly path: string
  /** Takes what space is left, with a file of its own. */
  fill(): void
  /** Gives back what {@link SmallVolume.fill} took. */
  free(): void
  /** Lets nobody write to it any more, not even root. */
  makeReadOnly(): void
  /** Unmounts it, whatever is still open there. */
  remove(): void
}

/** Mounts a tmpfs of `mebibytes`; throws where this user may not. */
export function mountSmallVolume(mebibytes: number): SmallVolume {
  const path = mkdtempSync(join(tmpdir(), 'meshwatch-volume-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path], { stdio: 'pipe' })
  } catch (error) {
    rmSync(path, { recursive: true })
    throw error
  }
  const filler = join(path, 'filler')
  return {
    path,
    fill: () => {
      for (const size of [1 << 20, 1 << 16, 1 << 12]) {
        while (append(filler, Buffer.alloc(size))) {
          // Once more.
        }
      }
    },
    free: () => rmSync(filler, { force: true }),
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', path]),
    remove: () => {
      execFileSync('umount', ['-l', path])
      rmSync(path, { recursive: true })
    },
  }
}

/** Why no volume can be mounted here; null when one can. */
export function whyNoVolume(): string | null {
  try {
    mountSmallVolume(1).remove()
    return null
  } catch (error) {
    return `a small volume cannot be mounted here: ${String(error).split('\n')[0]}`
  }
}

function append(path: string, bytes: Buffer): boolean {
  try {
    appendFileSync(path, bytes)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
