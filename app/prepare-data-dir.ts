import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, errorMessage } from '../runtime/errors.ts'

/**
 * Makes the data directory when it is missing and tries whether files can be made in it. Throws AppError CANNOT_START.
 * A full disk passes: retention and the space guard must be able to work then.
 */
export function prepareDataDir(dataDir: string): void {
  const probe = join(dataDir, `.writable-${process.pid}`)
  try {
    mkdirSync(dataDir, { recursive: true })
    closeSync(openSync(probe, 'w'))
    rmSync(probe, { force: true })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'ENOSPC') return
    const reason = REASONS[code] ?? errorMessage(error)
    throw new AppError('CANNOT_START', `Cannot use the data directory ${dataDir}: ${reason}`, {
      cause: error,
    })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EEXIST: 'it is a file, not a folder',
  ENOTDIR: 'part of the path is a file, not a folder',
}
