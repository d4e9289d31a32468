import { pino } from 'pino'
import { Registry } from 'prom-client'
import { systemClock } from '../runtime/clock.ts'
import { clickHouseConfig, queryConfig, readLimits } from '../storage/config.ts'
import { connectStorage } from '../storage/connect-storage.ts'
import type { Storage } from '../storage/storage.ts'

/** Opens the embedded engine in `dataDir` as the server does, with the newest schema. */
export function openStorage(dataDir: string): Promise<Storage> {
  return connectStorage({
    config: clickHouseConfig.parse({}),
    dataDir,
    limits: readLimits(queryConfig.parse({})),
    queryConcurrency: 8,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
}
