import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { RetentionConfig } from './config.ts'
import { listPartitions } from './list-partitions.ts'
import { alterTarget } from './render-ddl.ts'
import type { ManagedStorage } from './storage.ts'
import { ALERT_DAYS, TABLES, type TableName } from './tables.ts'

/** What {@link applyRetention} works with. */
export interface RetentionOptions {
  readonly storage: ManagedStorage
  readonly config: RetentionConfig
  readonly clock: Clock
  readonly logger: Logger
}

const DAY_MS = 86_400_000

/** A table whose rows are kept for so long as the configuration says. */
type KeptTable = TableName | keyof typeof ALERT_DAYS

/**
 * Makes every table keep what the configuration says, and changes only what is different: days that are no longer kept
 * are dropped at once, then the table's TTL is changed, and stored parts learn their new date without being rewritten (those of
 * `alert_states`, a row per alert, are). The history of alerts goes by months, when all of one is over.
 * Throws what {@link Storage.command} throws.
 */
export async function applyRetention(options: RetentionOptions): Promise<void> {
  const { storage, config, clock, logger } = options
  const definitions = await readDefinitions(storage)
  const expired = new Map<KeptTable, string[]>()
  const today = Math.floor(clock.now() / DAY_MS)
  for (const { table, day, dayNumber } of await listPartitions(storage)) {
    // Whole days: a day is over the limit when all its rows are.
    if (dayNumber + retentionDays(table, config) <= today)
      expired.set(table, [...(expired.get(table) ?? []), day])
  }
  for (const { table, dayExpression, days } of definitions) {
    const wanted = retentionDays(table, config)
    if (wanted === days) continue
    const target = alterTarget(table, storage)
    // First what frees space, so that lowering the retention helps on a full disk.
    for (const day of expired.get(table) ?? [])
      await storage.command(`ALTER TABLE ${target} DROP PARTITION '${day}'`)
    await storage.command(
      `ALTER TABLE ${target} MODIFY TTL ${dayExpression} + toIntervalDay(${wanted}) SETTINGS materialize_ttl_after_modify = 0`,
    )
    await storage.command(`ALTER TABLE ${target} MATERIALIZE TTL SETTINGS mutations_sync = 0`)
    logger.info({ event: 'retention-changed', table, days: wanted, before: days })
  }
}

/** How many days a table's rows are kept. */
export function retentionDays(
  table: KeptTable,
  config: Pick<RetentionConfig, 'traces' | 'metrics' | 'alerts'>,
): number {
  const traces = Math.ceil(config.traces / DAY_MS)
  const metrics = Math.ceil(config.metrics / DAY_MS)
  switch (table) {
    case 'spans':
    case 'traces':
    case 'logs':
      return traces
    case 'attribute_keys':
      return Math.max(traces, metrics)
    // These are dated by their receipt, so they must outlive rows whose own time is a little later.
    case 'origins':
      return Math.max(traces, metrics) + 1
    case 'metric_series':
    case 'prom_series':
    case 'prom_metadata':
    case 'prom_index':
    case 'prom_label_values':
    case 'prom_descriptions':
      return metrics + 1
    case 'alert_states':
    case 'alert_transitions':
    case 'notifications':
      return Math.ceil(config.alerts / DAY_MS)
    default:
      return metrics
  }
}

/** A table's TTL as it is. */
interface Definition {
  readonly table: KeptTable
  /** The day of a row: what a table of telemetry is partitioned by. */
  readonly dayExpression: string
  /** Null: rows are kept for ever, or by another rule than ours. */
  readonly days: number | null
}

async function readDefinitions(storage: ManagedStorage): Promise<Definition[]> {
  const suffix = storage.cluster === null ? '' : '_local'
  const rows = await storage.inspect<{ name: string; partition_key: string; engine_full: string }>(
    'SELECT name, partition_key, engine_full FROM system.tables WHERE database = {database:String}',
    { database: storage.database },
  )
  const alertTables = Object.keys(ALERT_DAYS) as (keyof typeof ALERT_DAYS)[]
  return [...TABLES, ...alertTables].flatMap((table) => {
    const row = rows.find(({ name }) => name === `${table}${suffix}`)
    if (row === undefined) return []
    const dayExpression =
      table in ALERT_DAYS ? ALERT_DAYS[table as keyof typeof ALERT_DAYS] : row.partition_key
    const days = / TTL (.+) \+ toIntervalDay\((\d+)\)( SETTINGS|$)/.exec(row.engine_full)
    const isOurs = days?.[1] === dayExpression
    return [{ table, dayExpression, days: isOurs ? Number(days[2]) : null }]
  })
}
