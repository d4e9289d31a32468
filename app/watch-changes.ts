import type { QueryBounds } from '../query/http/prometheus/prometheus-api-deps.ts'
import { createChangeLog } from '../query/promql/frontend/change-log.ts'
import { createRangeCache } from '../query/promql/frontend/range-cache.ts'
import type { Clock } from '../runtime/clock.ts'
import type { QueryConfig } from '../storage/config.ts'
import type { Storage } from '../storage/storage.ts'
import { watchInserts } from '../storage/watch-inserts.ts'

/** What PromQL reads; of `spans` in the slots of the roll-ups. */
const SAMPLE_TABLES = [
  'metric_points',
  'metric_histograms',
  'metric_exponential_histograms',
  'metric_summaries',
  'metric_samples',
  'metric_native_histograms',
]
const TABLES = new Set([...SAMPLE_TABLES, 'spans'])
/** The longest slot of a roll-up: a span changes it from its beginning. */
const SLOT_MS = 300_000

/** The storage to write to, and the bounds of queries that know of everything written to it. */
export interface WatchedStorage {
  readonly storage: Storage
  readonly bounds: QueryBounds
}

/**
 * Lets answers to queries be remembered, as long as nothing is inserted that they could have read. Everything that this process writes must go to the storage
 * returned. The embedded engine has no other writers; of a server that is not known.
 */
export function watchChanges(opened: Storage, config: QueryConfig, clock: Clock): WatchedStorage {
  const bounds = { timeoutMs: config.timeout, concurrency: config.concurrency }
  const maxBytes = config.cache.maxSize
  if (maxBytes === 0) return { storage: opened, bounds: { ...bounds, cache: null } }
  const changes = createChangeLog()
  const storage = watchInserts(opened, TABLES, ({ table, tenants, earliestMs }) => {
    if (table !== 'spans') changes.note('samples', tenants, earliestMs)
    else changes.note('spans', tenants, Math.floor(earliestMs / SLOT_MS) * SLOT_MS)
  })
  const isSoleWriter = opened.kind === 'embedded'
  return {
    storage,
    bounds: { ...bounds, cache: createRangeCache({ maxBytes, changes, isSoleWriter, clock }) },
  }
}
