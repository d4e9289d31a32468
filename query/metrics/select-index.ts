import { compareBytes, type Labels, labelsFrom } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import type { Storage } from '../../storage/storage.ts'
import { INDEX_TABLE, indexCondition, SERIES_KINDS, type SeriesKind } from './index-condition.ts'
import { resolveMatchers } from './resolve-matchers.ts'

/** A row of the index: what one series or the series of one histogram are called. */
export interface IndexedSeries {
  /** 32 hex digits. */
  readonly id: string
  /** In Prometheus' form; of histograms and summaries without suffix. */
  readonly name: string
  readonly kind: SeriesKind
  readonly isDelta: boolean
  /** Differences that go up and down: their sum is a level, which never begins anew. */
  readonly isLevel: boolean
  /** The name in the tables of points. */
  readonly metric: string
  /** Without the name. */
  readonly labels: Labels
}

/** Which rows of the index: those told of since the day of `fromMs`, as telemetry may come later than it is dated. */
export interface IndexRequest {
  readonly tenant: string
  readonly matchers: readonly Matcher[]
  readonly fromMs: number
  /** Rows at most, the first ones by name; absent: the configured limit, beyond which RESULT_TOO_LARGE is thrown. */
  readonly limit?: number
  readonly signal?: AbortSignal | undefined
}

/** Reads the index: every row that is or holds a series that matches (see {@link matcherConditions}). */
export async function selectIndex(storage: Storage, request: IndexRequest): Promise<IndexedSeries[]> {
  const { tenant, limit, signal } = request
  const matchers = await resolveMatchers(storage, request)
  const condition = indexCondition({ ...request, matchers })
  const { blocks } = await storage.selectColumns({
    name: 'metrics.index',
    tenant,
    // A series has a row in each week, and several until they are merged; all say the same.
    sql: `SELECT lower(hex(id)) AS seriesId, name AS promName, CAST(kind, 'Int8') AS seriesKind, temporality = 'delta' AS isDelta, toUInt8(is_monotonic) AS isMonotonic,
  CAST(metric, 'String') AS rawName, CAST(labels, 'Map(String, String)') AS seriesLabels
FROM ${INDEX_TABLE}
WHERE ${condition.sql}
${limit === undefined ? 'LIMIT 1 BY name, id' : 'ORDER BY name, job, id\nLIMIT 1 BY name, id\nLIMIT {limit:UInt64}'}`,
    params: { ...condition.params, ...(limit === undefined ? {} : { limit }) },
    ...(signal === undefined ? {} : { signal }),
  })
  return blocks.flatMap(seriesOf)
}

const KIND_OF = new Map<number | bigint, SeriesKind>(
  Object.entries(SERIES_KINDS).map(([kind, number]) => [number, kind as SeriesKind]),
)

function seriesOf(block: ColumnBlock): IndexedSeries[] {
  const ids = texts(block, 'seriesId')
  const names = texts(block, 'promName')
  const metrics = texts(block, 'rawName')
  const kinds = numbers(block, 'seriesKind')
  const deltas = numbers(block, 'isDelta')
  const monotonic = numbers(block, 'isMonotonic')
  const labels = labelLists(block, 'seriesLabels')
  return ids.map((id, row) => ({
    id,
    name: names[row] ?? '',
    kind: seriesKind(kinds[row]),
    isDelta: deltas[row] === 1,
    isLevel: deltas[row] === 1 && seriesKind(kinds[row]) === 'sum' && monotonic[row] === 0,
    metric: metrics[row] ?? '',
    labels: labels[row] ?? [],
  }))
}

function seriesKind(kind: number | bigint | undefined): SeriesKind {
  return KIND_OF.get(kind ?? 0) ?? 'sample'
}

function texts(block: ColumnBlock, name: string): readonly string[] {
  const column = block.columns.get(name)
  return column?.kind === 'text' ? column.values : []
}

function numbers(block: ColumnBlock, name: string): ArrayLike<number | bigint> {
  const column = block.columns.get(name)
  return column?.kind === 'number' ? column.values : []
}

function labelLists(block: ColumnBlock, name: string): Labels[] {
  const column = block.columns.get(name)
  if (column?.kind !== 'array') return []
  const [keys, values] = column.elements
  if (keys?.kind !== 'text' || values?.kind !== 'text') return []
  const lists: Labels[] = []
  let from = 0
  for (const to of column.ends) {
    lists.push(labelList(keys.values, values.values, from, to))
    from = to
  }
  return lists
}

function labelList(keys: readonly string[], values: readonly string[], from: number, to: number): Labels {
  const flat: string[] = []
  let isOrdered = true
  for (let at = from; at < to; at += 1) {
    const key = keys[at] ?? ''
    const value = values[at] ?? ''
    if (value === '' || (at > from && compareBytes(keys[at - 1] ?? '', key) >= 0)) isOrdered = false
    flat.push(key, value)
  }
  // Most are stored in order already.
  if (isOrdered) return flat
  return labelsFrom(Array.from({ length: to - from }, (_, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? '']))
}
