import { AppError } from '../../runtime/errors.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import type { Parameter, Storage } from '../../storage/storage.ts'
import type { TableName } from '../../storage/tables.ts'
import type { SeriesSelection } from '../promql/series-source.ts'
import { STALE_NAN } from './stale-nan.ts'
import { timeCondition } from './time-condition.ts'

/** Which samples are read: of which series in (fromMs, toMs], both storable (see {@link storableRange}). */
export interface SampleScope extends Pick<SeriesSelection, 'tenant' | 'fromMs' | 'toMs' | 'signal'> {
  /** Names in the table. */
  readonly metrics: readonly string[]
  /** 32 hex digits each. */
  readonly ids: readonly string[]
  /** They are all series of the metrics: what is found beside them is not wanted, but does no harm. */
  readonly isWhole?: boolean
}

/** What a read gives of one table. */
export interface SampleColumns {
  /** Stable name of the question. */
  readonly name: string
  readonly table: TableName
  /** Expressions by the names that their columns get; aggregates, as the rows of a series are one group, unless `isPlain`. */
  readonly columns: Readonly<Record<string, string>>
  /** Columns that samples are told apart by beside the series: bounds of buckets. */
  readonly groupBy?: readonly string[]
  /** Each sample is a row; those of a series stand next to each other, in any order. */
  readonly isPlain?: boolean
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
/** Values of one statement's answer, about: ClickHouse has each of them several times in memory while it makes an answer of them. */
const VALUES_PER_STATEMENT = 1_000_000
/** What samples are assumed to be apart from each other, milliseconds, when it is told how many there may be. */
const ASSUMED_STEP_MS = 10_000
/** Few series have samples over all of a long range at that distance, milliseconds. */
const LONGEST_ASSUMED_MS = 3 * 86_400_000
const MAX_IDS = 200_000
/** Pieces that are asked for before they are needed. */
const AHEAD = 2
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
  const asked: Promise<readonly ColumnBlock[]>[] = []
  for (let piece = 0; piece < pieces.length; piece += 1) {
    // Ahead: ClickHouse works while the piece before is decoded.
    for (let next = asked.length; next < Math.min(piece + 1 + AHEAD, pieces.length); next += 1) {
      const answer = askFor(storage, scope, read, pieces[next] as SampleSeries, pieces.length > 1)
      // It is awaited only when those before have been used, and may fail earlier.
      answer.catch(() => undefined)
      asked.push(answer)
    }
    const answer = await (asked[piece] as (typeof asked)[number])
    // What has been used is let go.
    asked[piece] = NOTHING
    yield* answer
  }
}

const NOTHING: Promise<readonly ColumnBlock[]> = Promise.resolve([])

/** Series of a scope's metrics: those told by name, those whose ids lie in a range (from inclusive, to exclusive, null: no bound), or all (null). */
type SampleSeries =
  | { readonly ids: readonly string[] }
  | { readonly fromId: string | null; readonly toId: string | null }
  | null

/** The condition on a table's rows for a scope; ids are bound as one text. */
export function scopeCondition(
  { fromMs, toMs, metrics }: Omit<SampleScope, 'ids'>,
  series: SampleSeries,
): {
  readonly sql: string
  readonly params: Readonly<Record<string, Parameter>>
} {
  const time = timeCondition({ fromMs, toMs })
  const ids = series !== null && 'ids' in series ? series.ids : null
  return {
    sql: [
      'tenant = {tenant:String}',
      'metric IN {metrics:Array(String)}',
      time.sql,
      ...seriesConditions(series),
    ].join('\n  AND '),
    params: {
      ...time.params,
      metrics,
      ...(ids === null ? {} : { ids: ids.join(''), idCount: ids.length }),
    },
  }
}

function seriesConditions(series: SampleSeries): string[] {
  if (series === null) return []
  if ('ids' in series) {
    const { ids } = series
    return [`series ${ids.length <= FEW_IDS ? `IN (${ids.map(idLiteral).join(', ')})` : MANY_IDS}`]
  }
  const { fromId, toId } = series
  return [
    ...(fromId === null ? [] : [`series >= ${idLiteral(fromId)}`]),
    ...(toId === null ? [] : [`series < ${idLiteral(toId)}`]),
  ]
}

function idLiteral(id: string): string {
  if (!/^[0-9a-f]{32}$/.test(id)) throw new AppError('INTERNAL', `Cannot read samples: ${id} is no id`)
  return `unhex('${id}')`
}

/** A sample's milliseconds after the start of the scope, as the type that is large enough: 32 bits hold 49 days. */
export function timeColumn({ fromMs, toMs }: Pick<SampleScope, 'fromMs' | 'toMs'>): string {
  const type = toMs - fromMs < 2 ** 32 ? 'toUInt32' : 'toFloat64'
  return `${type}(toUnixTimestamp64Milli(ts) - {baseMs:Int64})`
}

/** Those of all samples of a group. */
export function timesColumn(scope: Pick<SampleScope, 'fromMs' | 'toMs'>): string {
  return `groupArray(${timeColumn(scope)})`
}

/** A sample's number; where it says that the series has ended (`stale`, a condition), {@link STALE_NAN}. */
export function numberColumn(stale: string): string {
  return `if(${stale}, ${STALE_NAN}, value)`
}

/** Those of all samples of a group. */
export function numbersColumn(stale: string): string {
  return `groupArray(${numberColumn(stale)})`
}

/** The part of a range that samples can be stored in. */
export function storableRange({ fromMs, toMs }: Pick<SeriesSelection, 'fromMs' | 'toMs'>) {
  return { fromMs: Math.max(-1, Math.min(fromMs, LAST_MS)), toMs: Math.max(-1, Math.min(toMs, LAST_MS - 1)) }
}

function piecesOf(
  { ids, fromMs, toMs, metrics, isWhole = false }: SampleScope,
  { width = 2 }: SampleColumns,
): readonly SampleSeries[] {
  if (toMs <= fromMs || metrics.length === 0 || ids.length === 0) return []
  const lengthMs = Math.min(toMs - fromMs, LONGEST_ASSUMED_MS)
  const valuesPerSeries = Math.max(1, Math.ceil(lengthMs / ASSUMED_STEP_MS)) * width
  const size = Math.min(MAX_IDS, Math.max(1, Math.floor(VALUES_PER_STATEMENT / valuesPerSeries)))
  // A few are found quicker by name than by reading all.
  const isRange = isWhole && ids.length > FEW_IDS
  if (ids.length <= size) return isRange ? [null] : [{ ids }]
  // Neighbours in the table stand in one piece.
  const sorted = isAscending(ids) ? ids : [...ids].sort()
  const pieces: SampleSeries[] = []
  for (let from = 0; from < sorted.length; from += size) {
    const to = from + size
    if (!isRange) pieces.push({ ids: sorted.slice(from, to) })
    else pieces.push({ fromId: from === 0 ? null : (sorted[from] ?? null), toId: sorted[to] ?? null })
  }
  return pieces
}

function isAscending(ids: readonly string[]): boolean {
  for (let i = 1; i < ids.length; i += 1) if ((ids[i - 1] as string) > (ids[i] as string)) return false
  return true
}

/** Otherwise an answer of many bytes comes in 256 blocks, and one of many rows in blocks of 65,409. */
const ONE_BLOCK = { group_by_two_level_threshold: 0, group_by_two_level_threshold_bytes: 0 }
const ONE_PLAIN_BLOCK = { max_block_size: 1_000_000 }

/**
 * Asks for some series of a scope's metrics in one statement; `isPiece`: it is one of several that run side by side, each on one thread: what
 * several have grouped must be put together, which takes half as much time again.
 */
export async function askFor(
  storage: Storage,
  scope: Omit<SampleScope, 'ids'>,
  read: SampleColumns,
  series: SampleSeries,
  isPiece = false,
): Promise<readonly ColumnBlock[]> {
  const { sql, params } = scopeCondition(scope, series)
  const { groupBy = [], columns, isPlain = false } = read
  const grouping = ['series', ...groupBy.map((each) => each.replace(/^.* AS /, ''))]
  const oneBlock = isPlain ? ONE_PLAIN_BLOCK : ONE_BLOCK
  const { blocks } = await storage.selectColumns({
    name: read.name,
    tenant: scope.tenant,
    sql: `SELECT
  ${['series', ...groupBy, ...Object.entries(columns).map(([name, column]) => `${column} AS ${name}`)].join(',\n  ')}
FROM ${read.table}
WHERE ${sql}${read.condition === undefined ? '' : ` AND (${read.condition})`}
${isPlain ? 'ORDER BY series' : `GROUP BY ${grouping.join(', ')}`}`,
    params: { ...params, ...read.params, baseMs: scope.fromMs },
    settings: isPiece ? { ...oneBlock, max_threads: 1 } : oneBlock,
    ...(read.maxSeries === undefined ? {} : { limits: { maxResultRows: read.maxSeries } }),
    ...(scope.signal === undefined ? {} : { signal: scope.signal }),
  })
  return blocks
}
