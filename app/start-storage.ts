import { join } from 'node:path'
import { AppError, errorMessage } from '../runtime/errors.ts'
import { applyRetention } from '../storage/apply-retention.ts'
import { readLimits } from '../storage/config.ts'
import { connectStorage } from '../storage/connect-storage.ts'
import { createSpaceGuard } from '../storage/space-guard.ts'
import type { ManagedStorage, Storage } from '../storage/storage.ts'
import { createLateStorage } from './late-storage.ts'
import { programVersion } from './program-version.ts'
import { createShutdownStack, type ShutdownStack } from './shutdown-stack.ts'
import type { ServerOptions } from './start-server.ts'

const GUARD_PERIOD_MS = 60_000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 5_000

/** Storage, there or awaited. */
export interface StartedStorage {
  readonly storage: Storage
  /**
   * Runs `work` once storage is connected: at once, throwing what it throws, when it is; else later, and then a failure
   * is the server's (`onFailure`). It is not begun after the server was asked to stop.
   */
  whenConnected(work: () => Promise<void> | void): Promise<void>
}

/**
 * Opens storage with its schema, applies the configured retention and starts to guard the disk. Where telemetry is taken, a
 * ClickHouse server that is merely away is waited for in the background, while the journal takes what comes. Throws AppError
 * CANNOT_START for what waiting does not mend (a refused password, a version that is too old), without the role ingest
 * STORAGE_UNAVAILABLE for a server that is away.
 */
export async function startStorage(options: ServerOptions, stack: ShutdownStack): Promise<StartedStorage> {
  const parts = createShutdownStack(options.logger)
  const stopping = new AbortController()
  stack.push('storage', async () => {
    stopping.abort()
    await parts.stopAll()
  })
  try {
    const storage = await connectAndTend(options, parts)
    return { storage, whenConnected: async (work) => await work() }
  } catch (error) {
    if (!isAway(error) || !options.roles.has('ingest')) throw error
    return awaitStorage(options, parts, stopping.signal, errorMessage(error))
  }
}

function awaitStorage(
  options: ServerOptions,
  parts: ShutdownStack,
  stopping: AbortSignal,
  reason: string,
): StartedStorage {
  const { logger, config } = options
  const late = createLateStorage(config.clickhouse.database, reason)
  const work: (() => Promise<void> | void)[] = []
  let isConnected = false
  logger.warn({ event: 'storage-away', reason }, 'The journal takes telemetry until ClickHouse is there')
  const wait = async () => {
    for (let retryMs = FIRST_RETRY_MS; !stopping.aborted; retryMs = Math.min(LAST_RETRY_MS, retryMs * 2)) {
      await pause(retryMs, stopping)
      if (stopping.aborted) return
      try {
        late.arrive(await connectAndTend(options, parts))
        break
      } catch (error) {
        if (!isAway(error)) throw error
        late.setReason(errorMessage(error))
      }
    }
    isConnected = true
    logger.info({ event: 'storage-there' }, 'ClickHouse is there')
    for (let next = work.shift(); next !== undefined && !stopping.aborted; next = work.shift()) await next()
  }
  wait().catch((error: unknown) => {
    if (!stopping.aborted) options.onFailure(error instanceof Error ? error : new Error(String(error)))
  })
  return {
    storage: late.storage,
    whenConnected: async (next) => {
      if (isConnected) await next()
      else work.push(next)
    },
  }
}

/**
 * Connects once, and looks after what is stored from then on. A retention that cannot be applied is logged and holds from
 * the next start: telemetry is taken all the same.
 */
async function connectAndTend(options: ServerOptions, parts: ShutdownStack): Promise<ManagedStorage> {
  const { config, roles, clock, logger, registry } = options
  const storage = await connectStorage({
    config: config.clickhouse,
    dataDir: config.dataDir,
    limits: readLimits(config.query),
    queryConcurrency: config.query.concurrency,
    clock,
    logger,
    registry,
    programVersion: programVersion(),
  })
  parts.push('storage', () => storage.close())
  // One guard per place where data arrives is enough; several at once would only drop the same day twice.
  if (roles.has('ingest')) {
    const guard = createSpaceGuard({
      storage,
      minFreeBytes: config.retention.minFreeSpace,
      reserveFile: storage.kind === 'embedded' ? join(config.dataDir, 'space-reserve') : null,
      clock,
      logger,
      registry,
    })
    // Before retention: on a disk that is full already, lowering it needs the room that the guard makes.
    await guard.run()
    parts.push('space guard', guard.start(GUARD_PERIOD_MS))
  }
  try {
    await applyRetention({ storage, config: config.retention, clock, logger })
  } catch (error) {
    logger.error({ event: 'retention-failed', reason: errorMessage(error) })
  }
  return storage
}

function isAway(error: unknown): boolean {
  return error instanceof AppError && error.code === 'STORAGE_UNAVAILABLE'
}

/** Waits; ends early, without an error, when `signal` fires. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
