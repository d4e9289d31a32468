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
    await refuseLocked(location.path, dataDir, true)
    await writeConfig(configFile, engineConfig(location))
  } catch (error) {
    throw error instanceof AppError ? error : cannotOpen(dataDir, fileSystemReason(error), error)
  }
  try {
    return new Session(location.path, { connectionArgs: [`--config-file=${configFile}`] })
  } catch (error) {
    await refuseLocked(location.path, dataDir, false)
    throw cannotOpen(dataDir, `the engine does not start (${errorMessage(error)})`, error)
  }
}

/** Only when it says something else: on a full disk the engine must open, so that space can be made. */
async function writeConfig(file: string, text: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => '')) !== text) await writeFile(file, text)
}

/**
 * The engine itself refuses a directory that another process has, but says why only on standard error. So the lock on
 * its status file is looked up first, where the system lists locks (Linux). Some file systems list another device than
 * they tell; `isSureOnly` leaves those to the engine.
 */
async function refuseLocked(path: string, dataDir: string, isSureOnly: boolean): Promise<void> {
  const status = await stat(join(path, 'status')).catch(() => null)
  if (status === null) return
  const locks = await readFile('/proc/locks', 'utf8').catch(() => '')
  const isHeld = locks.split('\n').some((line) => {
    const [, , , , pid, file = ''] = line.trim().split(/\s+/)
    const [major, minor, inode] = file.split(':')
    if (inode !== String(status.ino) || pid === String(process.pid)) return false
    return !isSureOnly || deviceNumber(major, minor) === status.dev
  })
  if (isHeld) throw cannotOpen(dataDir, 'another meshwatch (or ClickHouse) process is using it')
}

/** As `stat` gives it (Linux): twelve bits of the major number between the lower eight and the upper of the minor. */
function deviceNumber(majorHex = '', minorHex = ''): number {
  const minor = Number.parseInt(minorHex, 16)
  return (Number.parseInt(majorHex, 16) << 8) | (minor & 0xff) | ((minor & 0xfff00) << 12)
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
