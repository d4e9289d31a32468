import { type Labels, labelsFrom, METRIC_NAME } from '../../../model/labels.ts'
import { compileMatcher, type Matcher } from '../../../model/matcher.ts'
import { textsOf } from '../../../storage/block-columns.ts'
import type { Storage } from '../../../storage/storage.ts'
import { formatBound } from '../../promql/format-float.ts'
import type { RollUp } from '../../traces/roll-up-source.ts'
import { matchesAll } from '../expand-series.ts'
import { matchingFamilies, spanMetricConditions } from './span-metric-conditions.ts'
import { SPAN_BUCKET_BOUNDS, type SpanMetricFamily } from './span-metric-families.ts'
import { SPAN_METRIC_LABELS } from './span-metric-labels.ts'

/** Which of the series made of spans: those of calls in a range, to the five minutes. Epoch milliseconds, inclusive. */
export interface SpanMetricsRequest {
  readonly tenant: string
  /** Series that match one of these lists; empty: all. */
  readonly matcherSets: readonly (readonly Matcher[])[]
  readonly fromMs: number
  readonly toMs: number
  readonly signal?: AbortSignal | undefined
}

/** The labels of the series that match, each as often as there are lists that it matches. Throws what `Storage.select` throws. */
export async function listSpanLabelSets(storage: Storage, request: SpanMetricsRequest): Promise<Labels[]> {
  const lists = await Promise.all(
    wantedParts(request).map(async (part) => {
      const isWanted = matchesAll(part.matchers)
      const labels = SPAN_METRIC_LABELS[part.rollUp]
      const rows = await readDistinct(storage, request, part, labels)
      return rows.flatMap((values) => {
        const pairs = labels.map(({ name }, i) => [name, values[i] ?? ''] as const)
        return part.families.flatMap((family) => setsOf(family, pairs)).filter(isWanted)
      })
    }),
  )
  return lists.flat()
}

/** The names of the labels of the series that match, in no order. */
export async function listSpanLabelNames(storage: Storage, request: SpanMetricsRequest): Promise<string[]> {
  const lists = await Promise.all(
    wantedParts(request).map(async (part) => {
      const names = await readOccurring(storage, request, part)
      if (names === null) return []
      return [METRIC_NAME, ...names, ...(part.bounds.length > 0 ? ['le'] : [])]
    }),
  )
  return lists.flat()
}

/** The values that a label has among the series that match, in no order. */
export async function listSpanLabelValues(
  storage: Storage,
  request: SpanMetricsRequest & { readonly name: string },
): Promise<string[]> {
  const { name } = request
  const lists = await Promise.all(
    wantedParts(request).map(async (part) => {
      const label = SPAN_METRIC_LABELS[part.rollUp].find((one) => one.name === name)
      if (label !== undefined) return (await readDistinct(storage, request, part, [label])).flat()
      if (name !== METRIC_NAME && name !== 'le') return []
      if ((await readOccurring(storage, request, part)) === null) return []
      return name === 'le' ? part.bounds : part.families.map((family) => family.name)
    }),
  )
  return lists.flat()
}

/** What of one roll-up may match one list of matchers. */
interface Part {
  readonly rollUp: RollUp
  readonly matchers: readonly Matcher[]
  /** At least one. */
  readonly families: readonly SpanMetricFamily[]
  /** Values of `le` of those families. */
  readonly bounds: readonly string[]
}

function wantedParts({ matcherSets }: SpanMetricsRequest): Part[] {
  const sets = matcherSets.length === 0 ? [[]] : matcherSets
  return sets.flatMap((matchers) => {
    const tests = matchers.filter(({ name }) => name === 'le').map(compileMatcher)
    const boundsOf = (family: SpanMetricFamily) =>
      family.measure === 'bucket'
        ? bucketBounds(family).filter((bound) => tests.every((matches) => matches(bound)))
        : []
    const all = matchingFamilies(matchers)
    return (['red', 'edges'] as const).flatMap((rollUp): Part[] => {
      const families = all.filter(
        (family) => family.rollUp === rollUp && (family.measure !== 'bucket' || boundsOf(family).length > 0),
      )
      if (families.length === 0) return []
      return [{ rollUp, matchers, families, bounds: [...new Set(families.flatMap(boundsOf))] }]
    })
  })
}

/** The values of `le`, as texts. */
function bucketBounds({ nanosPerUnit }: SpanMetricFamily): string[] {
  return [...SPAN_BUCKET_BOUNDS, Number.POSITIVE_INFINITY].map((nanos) => formatBound(nanos / nanosPerUnit))
}

function setsOf(family: SpanMetricFamily, pairs: readonly (readonly [string, string])[]): Labels[] {
  const named = [[METRIC_NAME, family.name] as const, ...pairs]
  if (family.measure !== 'bucket') return [labelsFrom(named)]
  return bucketBounds(family).map((bound) => labelsFrom([...named, ['le', bound]]))
}

async function readDistinct(
  storage: Storage,
  request: SpanMetricsRequest,
  part: Part,
  labels: readonly { readonly name: string; readonly sql: string }[],
): Promise<string[][]> {
  const { sql, params } = conditionOf(request, part)
  const { blocks } = await storage.selectColumns({
    name: `metrics.spanLabels.${part.rollUp}`,
    tenant: request.tenant,
    sql: `SELECT DISTINCT ${labels.map((label) => `${label.sql} AS label_${label.name}`).join(', ')}
FROM ${part.rollUp}_5m
WHERE ${sql}`,
    params,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  return blocks.flatMap((block) => {
    const columns = labels.map(({ name }) => textsOf(block, `label_${name}`))
    return Array.from({ length: block.rows }, (_, row) => columns.map((column) => column[row] ?? ''))
  })
}

/** The names of the roll-up's labels that some row has; null: there is no row. */
async function readOccurring(
  storage: Storage,
  request: SpanMetricsRequest,
  part: Part,
): Promise<string[] | null> {
  const { sql, params } = conditionOf(request, part)
  const labels = SPAN_METRIC_LABELS[part.rollUp]
  const [row] = await storage.select<{ readonly rowCount: string; readonly occurs: readonly number[] }>({
    name: `metrics.spanLabelNames.${part.rollUp}`,
    tenant: request.tenant,
    sql: `SELECT count() AS rowCount, [${labels.map((label) => `max(${label.sql} != '')`).join(', ')}] AS occurs
FROM ${part.rollUp}_5m
WHERE ${sql}`,
    params,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  if (row === undefined || Number(row.rowCount) === 0) return null
  return labels.filter((_, i) => Number(row.occurs[i]) === 1).map(({ name }) => name)
}

const COARSE_MS = 300_000
/** ClickHouse's DateTime ends there. */
const LAST_SECOND = 2 ** 32 - 1

function conditionOf({ fromMs, toMs }: SpanMetricsRequest, { rollUp, matchers }: Part) {
  const second = (ms: number) => Math.min(LAST_SECOND, Math.max(0, Math.floor(ms / 1000)))
  const { sql, params } = spanMetricConditions(rollUp, matchers)
  return {
    sql: `tenant = {tenant:String} AND slot >= toDateTime({from:Int64}, 'UTC') AND slot <= toDateTime({to:Int64}, 'UTC') AND ${sql}`,
    params: { ...params, from: second(Math.floor(fromMs / COARSE_MS) * COARSE_MS), to: second(toMs) },
  }
}
