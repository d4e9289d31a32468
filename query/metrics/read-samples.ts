import type { Parameter, Storage } from '../../storage/storage.ts'
import type { TableName } from '../../storage/tables.ts'
import type { SeriesSelection } from '../promql/series-source.ts'
import { indexCondition, type SeriesKind } from './select-index.ts'

/** What one read of samples asks for: a table of points, and which columns of it as arrays over time. */
export interface SampleRead {
  readonly table: TableName
  readonly kinds: readonly SeriesKind[]
  /** Names in the table. */
  readonly metrics: readonly string[]
  /** Columns that samples are told apart by beside the series: bounds of buckets. */
  readonly groupBy: readonly string[]
  /** Expressions, by the names their arrays get. */
  readonly arrays: Readonly<Record<string, string>>
  /** 1 where the sample only says that the series has ended. */
  readonly stale: string
  /** Rows that count; '1' for all. */
  readonly condition: string
}

/** A row of {@link readSamples}: arrays of equal length, in any order of time. */
export interface SampleRow {
  readonly seriesId: string
  /** Milliseconds after the selection's start. */
  readonly times: readonly number[]
  /** Empty when no sample is stale. */
  readonly stale: readonly number[]
}

/** The year 2262, in which ClickHouse's nanoseconds end. */
const LAST_MS = 9_223_372_036_000

/** Reads the samples of all series of a selection that stand in one table. Throws what `Storage.select` throws. */
export async function readSamples<Row extends SampleRow>(
  storage: Storage,
  selection: SeriesSelection,
  read: SampleRead,
): Promise<Row[]> {
  const { tenant, signal } = selection
  const { fromMs, toMs } = storableRange(selection)
  if (toMs <= fromMs || read.metrics.length === 0) return []
  const index = indexCondition({ matchers: selection.matchers, fromMs })
  const params: Record<string, Parameter> = {
    ...index.params,
    baseMs: fromMs,
    afterMs: fromMs + 1,
    endMs: toMs + 1,
    metrics: read.metrics,
    kinds: read.kinds,
  }
  const arrays = Object.entries(read.arrays).map(
    ([name, expression]) => `groupArray(${expression}) AS ${name}`,
  )
  return storage.select<Row>({
    name: `metrics.${read.table}`,
    tenant,
    sql: `SELECT
  ${[
    'lower(hex(series)) AS seriesId',
    ...read.groupBy,
    // 32 bits hold 49 days of milliseconds, and are written without quotes.
    `groupArray(${toMs - fromMs < 2 ** 32 ? 'toUInt32' : 'toFloat64'}(toUnixTimestamp64Milli(ts) - {baseMs:Int64})) AS times`,
    `if(max(${read.stale}) = 0, [], groupArray(toUInt8(${read.stale}))) AS stale`,
    ...arrays,
  ].join(',\n  ')}
FROM ${read.table}
WHERE tenant = {tenant:String} AND metric IN {metrics:Array(String)}
  AND ts >= fromUnixTimestamp64Milli({afterMs:Int64}) AND ts < fromUnixTimestamp64Milli({endMs:Int64})
  AND (${read.condition})
  AND series GLOBAL IN (SELECT id FROM prom_series WHERE ${index.sql} AND kind IN {kinds:Array(String)})
GROUP BY ${['series', ...read.groupBy].join(', ')}`,
    params,
    ...(signal === undefined ? {} : { signal }),
  })
}

/** The part of a range that samples can be stored in. */
export function storableRange({ fromMs, toMs }: Pick<SeriesSelection, 'fromMs' | 'toMs'>) {
  return { fromMs: Math.max(-1, Math.min(fromMs, LAST_MS)), toMs: Math.max(-1, Math.min(toMs, LAST_MS - 1)) }
}
