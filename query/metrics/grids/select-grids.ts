import { compareLabels } from '../../../model/labels.ts'
import type { Storage } from '../../../storage/storage.ts'
import type { GridAnswer, GridRequest, GridSeriesAnswer } from '../../promql/series-source.ts'
import { matchesAll } from '../expand-series.ts'
import type { HasHistograms } from '../histogram-presence.ts'
import { readHistogramIds } from '../read-native-histograms.ts'
import { type SampleScope, scopeCondition, storableRange } from '../read-samples.ts'
import type { IndexedSeries } from '../select-index.ts'
import type { WindowMemory } from '../window-memory.ts'
import type { GridAbilities } from './check-grid-functions.ts'
import { GRID_SETTINGS } from './grid-functions.ts'
import { groupStatement, seriesStatement } from './grid-statement.ts'
import { type GridTable, gridTable } from './grid-table.ts'
import { groupLabels } from './group-labels.ts'
import { createGroupMerger } from './merge-groups.ts'
import { readSeriesGrids } from './read-series-grids.ts'

/** Values of one statement's grids. */
const VALUES_PER_STATEMENT = 8_000_000
/** Series of one statement: their ids are part of it. */
const SERIES_PER_STATEMENT = 100_000
/** Samples that one statement reads, about. */
const SAMPLES_PER_STATEMENT = 2_000_000
/** What samples are assumed to be apart from each other when it is told how many there may be, milliseconds. */
const ASSUMED_STEP_MS = 10_000
/** The times that ClickHouse can compute with, years 1900 to 2299. */
const [FIRST_MS, LAST_MS] = [-2_208_900_000_000, 10_413_000_000_000]

/** What is known of this ClickHouse and of what is stored. */
export interface GridDeps {
  readonly abilities: GridAbilities
  readonly hasHistograms: HasHistograms
  /** Null: samples are always read anew. */
  readonly windows: WindowMemory | null
}

/** Has ClickHouse compute grids, where that is exact. `index`: every series that may match. Throws what `Storage.select` throws. */
export async function selectGrids(
  storage: Storage,
  request: GridRequest,
  index: readonly IndexedSeries[],
  { abilities, hasHistograms, windows }: GridDeps,
): Promise<GridAnswer> {
  const refuse = (reason: string): GridAnswer => ({ isComputed: false, reason })
  const compute = abilities.functions.get(request.compute)
  if (compute === undefined)
    return refuse(`this ClickHouse does not compute ${request.compute} as Prometheus does`)
  if (!isComputable(request)) return refuse('times that ClickHouse does not compute with')
  const table = gridTable(index, request, matchesAll(request.matchers))
  if (typeof table === 'string') return refuse(table)
  const range = storableRange(request)
  const scope: SampleScope = {
    ...request,
    ...range,
    metrics: table.metrics,
    ids: table.series.map(({ id }) => id),
  }
  const isOneMoment = request.moments.count === 1 && request.wantsStarts !== true
  if (table.table === 'prom_samples' && isOneMoment && windows?.wants(scope) === true) {
    return refuse('the samples of these minutes are remembered')
  }
  const isEmpty = table.series.length === 0 || range.toMs <= range.fromMs
  const [obstacle, series] = isEmpty
    ? [null, []]
    : await Promise.all([
        obstacleOf(storage, table, request, scope, hasHistograms),
        request.aggregate === null
          ? readSeries(storage, table, request, scope, compute)
          : readGroups(storage, table, request, scope, compute),
      ])
  if (obstacle !== null) return refuse(obstacle)
  if (typeof series === 'string') return refuse(series)
  return {
    isComputed: true,
    series,
    metrics: [...table.names],
    reason: `${compute.aggregate} of ${table.table}`,
  }
}

function isComputable({ moments, windowMs, fromMs, toMs }: GridRequest): boolean {
  const numbers = [moments.startMs, moments.stepMs, windowMs]
  return numbers.every(Number.isInteger) && fromMs >= FIRST_MS && toMs <= LAST_MS
}

/** What makes numbers alone not enough: native histograms, or start times that count. */
async function obstacleOf(
  storage: Storage,
  { table }: GridTable,
  request: GridRequest,
  scope: SampleScope,
  hasHistograms: HasHistograms,
): Promise<string | null> {
  if (table !== 'prom_samples') return null
  const [histogramIds, hasStarts] = await Promise.all([
    hasHistograms(storage, scope).then((hasAny) => (hasAny ? readHistogramIds(storage, scope) : [])),
    request.wantsStarts === true && hasKnownStarts(storage, scope),
  ])
  if (histogramIds.length > 0) return 'native histograms'
  return hasStarts ? 'start times count' : null
}

async function hasKnownStarts(storage: Storage, scope: SampleScope): Promise<boolean> {
  const { sql, params } = scopeCondition(scope, scope)
  const { rows } = await storage.selectColumns({
    name: 'metrics.knownStarts',
    tenant: scope.tenant,
    sql: `SELECT 1 FROM prom_samples WHERE ${sql} AND start != fromUnixTimestamp64Milli(0) LIMIT 1`,
    params,
    ...(scope.signal === undefined ? {} : { signal: scope.signal }),
  })
  return rows > 0
}

async function readSeries(
  storage: Storage,
  table: GridTable,
  request: GridRequest,
  scope: SampleScope,
  compute: Parameters<typeof seriesStatement>[3],
): Promise<readonly GridSeriesAnswer[]> {
  const labelsOf = new Map(table.series.map(({ id, labels }) => [id, labels]))
  const valuesOfOne = request.moments.count * (table.hasBuckets ? 16 : 1)
  const most = Math.min(seriesPerStatement(scope), Math.floor(VALUES_PER_STATEMENT / valuesOfOne))
  const answers: GridSeriesAnswer[] = []
  for (const piece of piecesOf(table.series, most)) {
    const ids = piece.map(({ id }) => id)
    const statement = seriesStatement(table, request, { ...scope, ids }, compute)
    const { blocks } = await ask(storage, scope, statement)
    for (const block of blocks) for (const answer of readSeriesGrids(block, labelsOf)) answers.push(answer)
  }
  // The order in which an evaluation of samples meets them: some functions take the first of equals.
  return answers.sort((a, b) => compareLabels(a.labels, b.labels))
}

async function readGroups(
  storage: Storage,
  table: GridTable,
  request: GridRequest,
  scope: SampleScope,
  compute: Parameters<typeof seriesStatement>[3],
): Promise<readonly GridSeriesAnswer[] | string> {
  const { aggregate, moments } = request
  if (aggregate === null) return []
  const pieces = piecesOf(table.series, seriesPerStatement(scope))
  const groups = groupLabels(
    aggregate,
    pieces.flatMap((piece) => piece.map(({ labels }) => labels)),
  )
  const tellsBounds = table.hasBuckets && aggregate.grouping.includes('le') !== aggregate.isWithout
  const merger = createGroupMerger(aggregate.op, groups, moments.count)
  let from = 0
  for (const piece of pieces) {
    const groupOf = groups.groupOf.slice(from, from + piece.length)
    from += piece.length
    const ids = piece.map(({ id }) => id)
    const statement = groupStatement(table, request, { ...scope, ids }, compute, { groupOf, tellsBounds })
    const { blocks } = await ask(storage, scope, statement)
    for (const block of blocks) merger.add(block)
  }
  return merger.finish()
}

/** As many as have samples for ClickHouse to hold at once: it computes the grids of all series side by side. */
function seriesPerStatement({ fromMs, toMs }: SampleScope): number {
  const samplesOfOne = Math.max(1, (toMs - fromMs) / ASSUMED_STEP_MS)
  return Math.min(SERIES_PER_STATEMENT, Math.floor(SAMPLES_PER_STATEMENT / samplesOfOne))
}

/** The series in pieces of at most so many; neighbours in the table stand in one piece. */
function piecesOf(series: GridTable['series'], most: number): readonly GridTable['series'][] {
  const size = Math.max(1, most)
  if (series.length <= size) return [series]
  const sorted = series.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const pieces: GridTable['series'][] = []
  for (let from = 0; from < sorted.length; from += size) pieces.push(sorted.slice(from, from + size))
  return pieces
}

function ask(
  storage: Storage,
  { tenant, signal }: SampleScope,
  { sql, params }: ReturnType<typeof seriesStatement>,
) {
  return storage.selectColumns({
    name: 'metrics.grids',
    tenant,
    sql,
    params,
    settings: GRID_SETTINGS,
    ...(signal === undefined ? {} : { signal }),
  })
}
