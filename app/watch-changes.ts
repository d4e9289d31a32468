import { Counter, Gauge, type Registry } from 'prom-client'
import type { QueryBounds } from '../query/http/prometheus/prometheus-api-deps.ts'
import type { SampleChanges } from '../query/metrics/window-memory.ts'
import { type ChangeLog, createChangeLog } from '../query/promql/frontend/change-log.ts'
import { createRangeCache, type RangeCache } from '../query/promql/frontend/range-cache.ts'
import type { Clock } from '../runtime/clock.ts'
import type { QueryConfig } from '../storage/config.ts'
import type { Storage } from '../storage/storage.ts'
import { SAMPLE_TABLES } from '../storage/tables.ts'
import { watchInserts } from '../storage/watch-inserts.ts'

/** What PromQL reads; of `spans` in the slots of the roll-ups. */
const TABLES = new Set<string>([...SAMPLE_TABLES, 'spans'])
/** The longest slot of a roll-up: a span changes it from its beginning. */
const SLOT_MS = 300_000

/** The storage to write to, and the bounds of queries that know of everything written to it. */
export interface WatchedStorage {
  readonly storage: Storage
  readonly bounds: QueryBounds
  /** Absent: others may write, too. */
  readonly changes?: SampleChanges
}

/** A sample is a time and a value. */
const BYTES_PER_SAMPLE = 16

/** Samples that one query may hold: as many as are allowed, and as fit into its memory. */
export function samplesOfQuery({ maxSamples, maxMemory }: QueryConfig): number {
  return Math.min(maxSamples, Math.floor(maxMemory / BYTES_PER_SAMPLE))
}

/**
 * Lets answers to queries be remembered, as long as nothing is inserted that they could have read. Everything that this process writes must go to the storage
 * returned. The embedded engine has no other writers; of a server that is not known.
 */
export function watchChanges(
  opened: Storage,
  config: QueryConfig,
  { clock, registry }: { readonly clock: Clock; readonly registry: Registry },
): WatchedStorage {
  const bounds = {
    timeoutMs: config.timeout,
    concurrency: config.concurrency,
    maxSamples: samplesOfQuery(config),
  }
  const changes = createChangeLog()
  const storage = watchInserts(opened, TABLES, ({ table, tenants, earliestMs }) => {
    if (table !== 'spans') changes.note('samples', tenants, earliestMs)
    else changes.note('spans', tenants, Math.floor(earliestMs / SLOT_MS) * SLOT_MS)
  })
  const isSoleWriter = opened.kind === 'embedded'
  const watched = { storage, ...(isSoleWriter ? { changes: samplesOnly(changes) } : {}) }
  const maxBytes = config.cache.maxSize
  if (maxBytes === 0) return { ...watched, bounds: { ...bounds, cache: null } }
  const cache = createRangeCache({ maxBytes, changes, isSoleWriter, clock })
  measureCache(cache, registry)
  return { ...watched, bounds: { ...bounds, cache } }
}

function samplesOnly(changes: ChangeLog): SampleChanges {
  return {
    generation: changes.generation,
    changedSince: (generation, tenant) => changes.changedSince(generation, tenant, ['samples']),
  }
}

function measureCache(cache: RangeCache, registry: Registry): void {
  new Gauge({
    name: 'meshwatch_query_cache_bytes',
    help: 'Memory of the answers to range queries that are remembered, about.',
    registers: [registry],
    collect() {
      this.set(cache.size)
    },
  })
  new Counter({
    name: 'meshwatch_query_cache_requests_total',
    help: 'Parts of range queries that were looked up among the answers remembered.',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      this.reset()
      const { found, missed } = cache.counts
      this.inc({ result: 'hit' }, found)
      this.inc({ result: 'miss' }, missed)
    },
  })
}
