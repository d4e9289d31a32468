import type { Matcher } from '../../model/matcher.ts'
import type { Storage } from '../../storage/storage.ts'
import { INDEX_TABLE, indexCondition, type SeriesKind } from './index-condition.ts'
import { resolveMatchers } from './resolve-matchers.ts'
import type { MetricName } from './select-label-values.ts'

/** Which rows of the index, see `indexCondition`. */
export interface MatchingRequest {
  readonly tenant: string
  readonly matchers: readonly Matcher[]
  readonly fromMs: number
  readonly signal?: AbortSignal | undefined
}

/** The names of the labels of the rows that match, and the rows' names and kinds, each once. */
export async function selectMatchingNames(
  storage: Storage,
  request: MatchingRequest,
): Promise<{ readonly labels: readonly string[]; readonly metrics: readonly MetricName[] }> {
  const condition = await conditionOf(storage, request)
  const [row] = await storage.select<{
    readonly labelNames: readonly string[]
    readonly metricNames: readonly (readonly [string, SeriesKind])[]
  }>({
    name: 'metrics.matchingNames',
    tenant: request.tenant,
    sql: `SELECT groupUniqArrayArray(labels.keys) AS labelNames, groupUniqArray((name, kind)) AS metricNames
FROM ${INDEX_TABLE}
WHERE ${condition.sql}`,
    params: condition.params,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  const metrics = row?.metricNames.map(([name, kind]) => ({ name, kind })) ?? []
  return { labels: row?.labelNames ?? [], metrics }
}

/** The values that a label has in the rows that match, in the order of their bytes; with a limit the first so many. */
export async function selectMatchingValues(
  storage: Storage,
  request: MatchingRequest & { readonly name: string; readonly limit?: number | undefined },
): Promise<readonly string[]> {
  const { name, limit } = request
  const condition = await conditionOf(storage, request)
  const { blocks } = await storage.selectColumns({
    name: 'metrics.matchingValues',
    tenant: request.tenant,
    sql: `SELECT DISTINCT labels[{labelName:String}] AS labelValue
FROM ${INDEX_TABLE}
WHERE ${condition.sql} AND labelValue != ''
ORDER BY labelValue${limit === undefined ? '' : '\nLIMIT {limit:UInt32}'}`,
    params: { ...condition.params, labelName: name, ...(limit === undefined ? {} : { limit }) },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  return blocks.flatMap(({ columns }) => {
    const column = columns.get('labelValue')
    return column?.kind === 'text' ? column.values : []
  })
}

async function conditionOf(storage: Storage, request: MatchingRequest) {
  const matchers = await resolveMatchers(storage, request)
  return indexCondition({ ...request, matchers })
}
