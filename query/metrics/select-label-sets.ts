import { compareLabels, type Labels } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import type { Storage } from '../../storage/storage.ts'
import type { TableName } from '../../storage/tables.ts'
import { bucketLabels, matchesAll, namedLabels, quantileLabels } from './expand-series.ts'
import { INDEX_TABLE, indexCondition, type SeriesKind } from './index-condition.ts'
import { numberLists } from './number-lists.ts'
import { storableRange } from './read-samples.ts'
import { resolveMatchers } from './resolve-matchers.ts'
import { type IndexedSeries, selectIndex } from './select-index.ts'
import { listSpanLabelSets } from './span-metrics/list-span-metrics.ts'
import { timeCondition } from './time-condition.ts'

/** Which series. They are told by day, so a series may be listed that has no sample in just this range. */
export interface LabelSetsRequest {
  readonly tenant: string
  /** Series that match one of these lists. */
  readonly matcherSets: readonly (readonly Matcher[])[]
  readonly fromMs: number
  readonly toMs: number
  /** So many series are enough; there may be more in the answer. */
  readonly enough?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The labels of all series that match, those made of spans among them, each once, in Prometheus' order. Throws what `Storage.select` throws. */
export async function selectLabelSets(storage: Storage, request: LabelSetsRequest): Promise<Labels[]> {
  if (request.matcherSets.length === 0) return []
  const lists = await Promise.all([selectStoredSets(storage, request), listSpanLabelSets(storage, request)])
  return eachOnce(lists.flat())
}

/** As {@link selectLabelSets}, only of series that are stored. */
export async function selectStoredSets(storage: Storage, request: LabelSetsRequest): Promise<Labels[]> {
  const lists = await Promise.all(
    request.matcherSets.map((matchers) => labelSetsOf(storage, { ...request, matchers })),
  )
  return eachOnce(lists.flat())
}

function eachOnce(sets: readonly Labels[]): Labels[] {
  const all = [...sets].sort(compareLabels)
  // Sorting and looking at neighbours takes a quarter of the time that keys of text take.
  return all.filter((labels, at) => at === 0 || compareLabels(all[at - 1] ?? [], labels) !== 0)
}

type OneRequest = LabelSetsRequest & { readonly matchers: readonly Matcher[] }

async function labelSetsOf(storage: Storage, request: OneRequest): Promise<Labels[]> {
  const { tenant, matchers, signal } = request
  const { fromMs } = storableRange(request)
  const isWanted = matchesAll(matchers)
  // Every row is or holds a series that matches, but for labels that the index does not have.
  const isCountable = !matchers.some(({ name }) => name === 'le' || name === 'quantile')
  const limit = isCountable && request.enough !== undefined ? { limit: request.enough } : {}
  const index = await selectIndex(storage, { tenant, matchers, fromMs, signal, ...limit })
  const [bounds, quantiles] = await Promise.all([
    readShapes(storage, request, index, { table: 'otlp_histograms', kind: 'histogram', column: 'bounds' }),
    readShapes(storage, request, index, { table: 'otlp_summaries', kind: 'summary', column: 'quantiles' }),
  ])
  return index.flatMap((series) => expand(series, bounds, quantiles)).filter(isWanted)
}

type Shapes = ReadonlyMap<string, readonly (readonly number[])[]>

function expand(series: IndexedSeries, bounds: Shapes, quantiles: Shapes): Labels[] {
  switch (series.kind) {
    case 'histogram':
      return [
        namedLabels(series, '_sum'),
        namedLabels(series, '_count'),
        ...(bounds.get(series.id) ?? []).flatMap((list) => bucketLabels(series, list)),
      ]
    case 'summary':
      return [
        namedLabels(series, '_sum'),
        namedLabels(series, '_count'),
        ...(quantiles.get(series.id) ?? []).flatMap((list) => quantileLabels(series, list)),
      ]
    default:
      return [namedLabels(series, '')]
  }
}

/** The lists of bounds (or quantiles) that each histogram (summary) had. */
async function readShapes(
  storage: Storage,
  request: OneRequest,
  index: readonly IndexedSeries[],
  what: { readonly table: TableName; readonly kind: SeriesKind; readonly column: string },
): Promise<Shapes> {
  const metrics = [...new Set(index.filter(({ kind }) => kind === what.kind).map(({ metric }) => metric))]
  if (metrics.length === 0) return new Map()
  const { fromMs, toMs } = storableRange(request)
  const { tenant, signal } = request
  const matchers = await resolveMatchers(storage, { tenant, matchers: request.matchers, fromMs, signal })
  const condition = indexCondition({ matchers, fromMs })
  const time = timeCondition({ fromMs, toMs })
  const { blocks } = await storage.selectColumns({
    name: `metrics.shapes.${what.kind}`,
    tenant: request.tenant,
    sql: `SELECT lower(hex(series)) AS seriesId, ${what.column} AS shape
FROM ${what.table}
WHERE tenant = {tenant:String} AND metric IN {metrics:Array(String)}
  AND ${time.sql}
  AND series GLOBAL IN (SELECT id FROM ${INDEX_TABLE} WHERE ${condition.sql} AND kind = '${what.kind}')
GROUP BY series, shape`,
    params: { ...condition.params, metrics, ...time.params },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  const shapes = new Map<string, number[][]>()
  for (const block of blocks) {
    const ids = block.columns.get('seriesId')
    for (const [row, shape] of numberLists(block, 'shape').entries()) {
      const id = ids?.kind === 'text' ? (ids.values[row] ?? '') : ''
      shapes.set(id, [...(shapes.get(id) ?? []), shape])
    }
  }
  return shapes
}
