import { AppError } from '../../runtime/errors.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import type { Parameter, Storage } from '../../storage/storage.ts'
import type { TableName } from '../../storage/tables.ts'
import type { SeriesSelection } from '../promql/series-source.ts'
import { timeCondition } from './time-condition.ts'

/** Which samples are read: of which series in (fromMs, toMs], both storable (see {@link storableRange}). */
export interface SampleScope extends Pick<SeriesSelection, 'tenant' | 'fromMs' | 'toMs' | 'signal'> {
  /** Names in the table. */
  readonly metrics: readonly string[]
  /** 32 hex digits each. */
  readonly ids: readonly string[]
}

/** What a read gives of one table. */
export interface SampleColumns {
  /** Stable name of the question. */
  readonly name: string
  readonly table: TableName
  /** Expressions by the names that their columns get; aggregates, as the rows of a series are one group. */
  readonly columns: Readonly<Record<string, string>>
  /** Columns that samples are told apart by beside the series: bounds of buckets. */
  readonly groupBy?: readonly string[]
  /** Rows that count; absent: all. */
  readonly condition?: string
  /** Values per sample, so that one answer does not get too large. Default 2. */
  readonly width?: number
  readonly params?: Readonly<Record<string, Parameter>>
  /** More rows of the answer are refused with RESULT_TOO_LARGE; absent: the configured limit. */
  readonly maxSeries?: number
}

/** The year 2262, in which ClickHouse's nanoseconds end. */
const LAST_MS = 9_223_372_036_000
/** Values of one statement's answer, about: 8 bytes each. */
const VALUES_PER_STATEMENT = 4_000_000
/** What samples are assumed to be apart from each other, milliseconds, when it is told how many there may be. */
const ASSUMED_STEP_MS = 10_000
/** Few series have samples over all of a long range at that distance, milliseconds. */
const LONGEST_ASSUMED_MS = 3 * 86_400_000
const MAX_IDS = 200_000
/** So few stand in the statement as literals, which ClickHouse is quicker to take in. */
const FEW_IDS = 50
const MANY_IDS =
  'GLOBAL IN (SELECT toFixedString(substring(unhex({ids:String}), number * 16 + 1, 16), 16) FROM numbers({idCount:UInt32}))'

/**
 * Reads samples, the rows of each series as one row. Series stand in pieces of the answer that each hold whole series. Throws what `Storage.select`
 * throws.
 */
export async function* readSamples(
  storage: Storage,
  scope: SampleScope,
  read: SampleColumns,
): AsyncGenerator<ColumnBlock> {
  const pieces = piecesOf(scope, read)
  // One piece ahead: ClickHouse works while the one before is decoded.
  let next = ask(storage, scope, read, pieces[0])
  for (let piece = 0; piece < pieces.length; piece += 1) {
    const answer = await next
    if (piece + 1 < pieces.length) {
      next = ask(storage, scope, read, pieces[piece + 1])
      // It is awaited only when this one has been used, and may fail before.
      next.catch(() => undefined)
    }
    yield* answer
  }
}

/** The condition on a table's rows for a scope; `ids` of the scope are bound as one text. Null: all series of its metrics. */
export function scopeCondition({
  fromMs,
  toMs,
  metrics,
  ids,
}: Omit<SampleScope, 'ids'> & { readonly ids: readonly string[] | null }): {
  readonly sql: string
  readonly params: Readonly<Record<string, Parameter>>
} {
  const time = timeCondition({ fromMs, toMs })
  return {
    sql: `tenant = {tenant:String} AND metric IN {metrics:Array(String)}
  AND ${time.sql}${
    ids === null
      ? ''
      : `
  AND series ${ids.length <= FEW_IDS ? `IN (${ids.map(idLiteral).join(', ')})` : MANY_IDS}`
  }`,
    params: {
      ...time.params,
      metrics,
      ...(ids === null ? {} : { ids: ids.join(''), idCount: ids.length }),
    },
  }
}

function idLiteral(id: string): string {
  if (!/^[0-9a-f]{32}$/.test(id)) throw new AppError('INTERNAL', `Cannot read samples: ${id} is no id`)
  return `unhex('${id}')`
}

/** Milliseconds after the start of the scope, as the type that is large enough: 32 bits hold 49 days. */
export function timesColumn({ fromMs, toMs }: Pick<SampleScope, 'fromMs' | 'toMs'>): string {
  const type = toMs - fromMs < 2 ** 32 ? 'toUInt32' : 'toFloat64'
  return `groupArray(${type}(toUnixTimestamp64Milli(ts) - {baseMs:Int64}))`
}

/** The part of a range that samples can be stored in. */
export function storableRange({ fromMs, toMs }: Pick<SeriesSelection, 'fromMs' | 'toMs'>) {
  return { fromMs: Math.max(-1, Math.min(fromMs, LAST_MS)), toMs: Math.max(-1, Math.min(toMs, LAST_MS - 1)) }
}

function piecesOf(scope: SampleScope, { width = 2 }: SampleColumns): readonly (readonly string[])[] {
  const { ids, fromMs, toMs, metrics } = scope
  if (toMs <= fromMs || metrics.length === 0 || ids.length === 0) return []
  const lengthMs = Math.min(toMs - fromMs, LONGEST_ASSUMED_MS)
  const valuesPerSeries = Math.max(1, Math.ceil(lengthMs / ASSUMED_STEP_MS)) * width
  const size = Math.min(MAX_IDS, Math.max(1, Math.floor(VALUES_PER_STATEMENT / valuesPerSeries)))
  if (ids.length <= size) return [ids]
  // Neighbours in the table stand in one piece.
  const sorted = [...ids].sort()
  const pieces: string[][] = []
  for (let from = 0; from < sorted.length; from += size) pieces.push(sorted.slice(from, from + size))
  return pieces
}

async function ask(
  storage: Storage,
  scope: SampleScope,
  read: SampleColumns,
  ids: readonly string[] | undefined,
): Promise<readonly ColumnBlock[]> {
  return ids === undefined ? [] : askFor(storage, scope, read, ids)
}

/** Asks for all series of the scope's metrics (`ids` null), or for some, in one statement. */
export async function askFor(
  storage: Storage,
  scope: Omit<SampleScope, 'ids'>,
  read: SampleColumns,
  ids: readonly string[] | null,
): Promise<readonly ColumnBlock[]> {
  const { sql, params } = scopeCondition({ ...scope, ids })
  const { groupBy = [], columns } = read
  const { blocks } = await storage.selectColumns({
    name: read.name,
    tenant: scope.tenant,
    sql: `SELECT
  ${['series', ...groupBy, ...Object.entries(columns).map(([name, column]) => `${column} AS ${name}`)].join(',\n  ')}
FROM ${read.table}
WHERE ${sql}${read.condition === undefined ? '' : ` AND (${read.condition})`}
GROUP BY ${['series', ...groupBy.map((each) => each.replace(/^.* AS /, ''))].join(', ')}`,
    params: { ...params, ...read.params, baseMs: scope.fromMs },
    ...(read.maxSeries === undefined ? {} : { limits: { maxResultRows: read.maxSeries } }),
    ...(scope.signal === undefined ? {} : { signal: scope.signal }),
  })
  return blocks
}
