import { pino } from 'pino'
import { Registry } from 'prom-client'
import { systemClock } from '../../runtime/clock.ts'
import { clickHouseConfig, queryConfig, readLimits } from '../../storage/config.ts'
import { connectStorage } from '../../storage/connect-storage.ts'
import type { ManagedStorage } from '../../storage/storage.ts'

/** Opens what a server has stored in `dataDir` (after it ended), or in the ClickHouse server at `url`. */
export function openTestStorage(where: {
  readonly dataDir: string
  readonly url?: string
}): Promise<ManagedStorage> {
  return connectStorage({
    config: clickHouseConfig.parse({ url: where.url ?? null }),
    dataDir: where.dataDir,
    limits: readLimits(queryConfig.parse({})),
    queryConcurrency: 1,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
}
