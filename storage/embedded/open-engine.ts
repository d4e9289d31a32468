import { access, constants, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Session } from 'chdb'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import { engineConfig } from './engine-config.ts'

/** Where the engine keeps its files. */
export interface EngineLocation {
  /** The engine's own directory: one process at a time. */
  readonly path: string
  /** A directory for files that live as long as one statement. */
  readonly temporaryDir: string
  /** Memory of one statement, bytes. */
  readonly maxMemoryBytes: number
}

/**
 * Opens the engine and returns the session that keeps it open. Throws CANNOT_START, with the reason in one sentence,
 * when the directory cannot be written or another process has it.
 */
export async function openEngine(location: EngineLocation): Promise<Session> {
  const dataDir = dirname(location.path)
  const configFile = join(location.temporaryDir, 'engine.xml')
  try {
    await mkdir(location.path, { recursive: true })
    await mkdir(location.temporaryDir, { recursive: true })
    await access(location.path, constants.R_OK | constants.W_OK | constants.X_OK)
    await refuseLocked(location.path, dataDir)
    await writeFile(configFile, engineConfig(location))
  } catch (error) {
    throw error instanceof AppError ? error : cannotOpen(dataDir, fileSystemReason(error), error)
  }
  try {
    return new Session(location.path, { connectionArgs: [`--config-file=${configFile}`] })
  } catch (error) {
    await refuseLocked(location.path, dataDir)
    throw cannotOpen(dataDir, `the engine does not start (${errorMessage(error)})`, error)
  }
}

/**
 * The engine itself refuses a directory that another process has, but says why only on standard error. So the lock on
 * its status file is looked up first, where the system lists locks (Linux).
 */
async function refuseLocked(path: string, dataDir: string): Promise<void> {
  const status = await stat(join(path, 'status')).catch(() => null)
  const locks = status === null ? '' : await readFile('/proc/locks', 'utf8').catch(() => '')
  const holder = locks
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields.length >= 8 && fields[5]?.split(':')[2] === String(status?.ino))
  if (holder === undefined || holder[4] === String(process.pid)) return
  throw cannotOpen(dataDir, 'another meshwatch (or ClickHouse) process is using it')
}

function fileSystemReason(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
    case 'EPERM':
      return 'this user may not write there'
    case 'EROFS':
      return 'the file system is read-only'
    case 'ENOSPC':
      return 'the disk is full'
    case 'EEXIST':
    case 'ENOTDIR':
      return 'it is not a directory'
    default:
      return errorMessage(error)
  }
}

function cannotOpen(dataDir: string, why: string, cause?: unknown): AppError {
  return new AppError('CANNOT_START', `Cannot open the data directory ${dataDir}: ${why}`, { cause })
}
