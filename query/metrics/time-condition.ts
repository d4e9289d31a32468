import type { Parameter } from '../../storage/storage.ts'

/** The hours that ClickHouse's `DateTime` can tell. */
const LAST_S = 2 ** 32 - 1
const HOUR_S = 3600

/**
 * The condition on rows of samples in (fromMs, toMs], epoch milliseconds, both storable. The hour is part of the tables' order, and ClickHouse
 * finds the rows by it only when the condition speaks of it.
 */
export function timeCondition({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): {
  readonly sql: string
  readonly params: Readonly<Record<string, Parameter>>
} {
  const hourOf = (ms: number) => Math.min(Math.max(0, Math.floor(ms / 1000 / HOUR_S) * HOUR_S), LAST_S)
  return {
    sql: `ts >= fromUnixTimestamp64Milli({afterMs:Int64}) AND ts < fromUnixTimestamp64Milli({endMs:Int64})
  AND toStartOfHour(ts) >= toDateTime({fromHour:UInt32}, 'UTC') AND toStartOfHour(ts) <= toDateTime({toHour:UInt32}, 'UTC')`,
    params: { afterMs: fromMs + 1, endMs: toMs + 1, fromHour: hourOf(fromMs + 1), toHour: hourOf(toMs) },
  }
}
