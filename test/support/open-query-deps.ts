import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { DEFAULT_QUERY_LIMITS, type QueryDeps } from '../../query/query-deps.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { clickHouseConfig, queryConfig, readLimits } from '../../storage/config.ts'
import { connectStorage } from '../../storage/connect-storage.ts'
import { TABLES } from '../../storage/tables.ts'

/** What queries need, on an embedded engine in a temporary folder. One per test file. */
export interface OpenQueryDeps extends QueryDeps {
  /** Closes the engine and removes the folder. */
  close(): Promise<void>
}

/** Opens the embedded engine for a test file, without retention. `now`: what the clock says, epoch milliseconds; absent: the machine's. */
export async function openQueryDeps(options: { readonly now?: number } = {}): Promise<OpenQueryDeps> {
  const { now } = options
  const clock: Clock = now === undefined ? systemClock : { now: () => now, monotonic: systemClock.monotonic }
  const dataDir = await mkdtemp(join(tmpdir(), 'meshwatch-query-'))
  const logger = pino({ level: 'silent' })
  const registry = new Registry()
  const storage = await connectStorage({
    config: clickHouseConfig.parse({}),
    dataDir,
    limits: readLimits(queryConfig.parse({})),
    queryConcurrency: 2,
    clock: systemClock,
    logger,
    registry,
  })
  // Test data stands at fixed times, which retention would drop some day.
  for (const table of TABLES) await storage.command(`ALTER TABLE ${table} REMOVE TTL`)
  return {
    storage,
    clock,
    logger,
    registry,
    limits: DEFAULT_QUERY_LIMITS,
    externalUrl: null,
    close: async () => {
      await storage.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
