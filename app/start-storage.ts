import { join } from 'node:path'
import { errorMessage } from '../runtime/errors.ts'
import { applyRetention } from '../storage/apply-retention.ts'
import { readLimits } from '../storage/config.ts'
import { connectStorage } from '../storage/connect-storage.ts'
import { createSpaceGuard } from '../storage/space-guard.ts'
import type { ManagedStorage } from '../storage/storage.ts'
import { programVersion } from './program-version.ts'
import type { ShutdownStack } from './shutdown-stack.ts'
import type { ServerOptions } from './start-server.ts'

const GUARD_PERIOD_MS = 60_000

/**
 * Opens storage with its schema, applies the configured retention and starts to guard the disk. Throws AppError CANNOT_START.
 * A retention that cannot be applied is logged and holds from the next start: telemetry is taken all the same.
 */
export async function startStorage(options: ServerOptions, stack: ShutdownStack): Promise<ManagedStorage> {
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
  stack.push('storage', () => storage.close())
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
    stack.push('space guard', guard.start(GUARD_PERIOD_MS))
  }
  try {
    await applyRetention({ storage, config: config.retention, clock, logger })
  } catch (error) {
    logger.error({ event: 'retention-failed', reason: errorMessage(error) })
  }
  return storage
}
