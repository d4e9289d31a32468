import type { Storage } from '../../storage/storage.ts'
import { dayCondition, INDEX_TABLE, type SeriesKind } from './index-condition.ts'
import { anchoredPattern } from './matcher-conditions.ts'

/** Since when values must have been told of. */
export interface ValuesRequest {
  readonly tenant: string
  readonly fromMs: number
  readonly signal?: AbortSignal | undefined
}

/** A name of the index with a kind of series that has it. */
export interface MetricName {
  /** In Prometheus' form; of histograms and summaries without suffix. */
  readonly name: string
  readonly kind: SeriesKind
}

/** Which values of a label. */
export interface LabelValuesRequest extends ValuesRequest {
  /** Not `__name__`. */
  readonly name: string
  /** Only those that match this pattern as a whole, in ClickHouse's reading. */
  readonly pattern?: string | undefined
  readonly limit?: number | undefined
}

/** The values that a label of the index has, in the order of their bytes; with a limit the first so many. */
export async function selectLabelValues(
  storage: Storage,
  request: LabelValuesRequest,
): Promise<readonly string[]> {
  const { tenant, name, pattern, limit, signal } = request
  const { sql, params } = dayCondition(request.fromMs)
  const matching = pattern === undefined ? '' : ' AND match(value, {pattern:String})'
  const { blocks } = await storage.selectColumns({
    name: 'metrics.labelValues',
    tenant,
    sql: `SELECT DISTINCT value AS labelValue FROM prom_label_values WHERE ${sql} AND label = {labelName:String}${matching}
ORDER BY value${limit === undefined ? '' : '\nLIMIT {limit:UInt32}'}`,
    params: {
      ...params,
      labelName: name,
      ...(pattern === undefined ? {} : { pattern: anchoredPattern(pattern) }),
      ...(limit === undefined ? {} : { limit }),
    },
    ...(signal === undefined ? {} : { signal }),
  })
  return blocks.flatMap(({ columns }) => {
    const column = columns.get('labelValue')
    return column?.kind === 'text' ? column.values : []
  })
}

/** The names of labels of the index, in no order. */
export async function selectLabelNames(storage: Storage, request: ValuesRequest): Promise<readonly string[]> {
  const { sql, params } = dayCondition(request.fromMs)
  const rows = await storage.select<{ readonly labelName: string }>({
    name: 'metrics.labelNames',
    tenant: request.tenant,
    sql: `SELECT DISTINCT label AS labelName FROM prom_label_values WHERE ${sql}`,
    params,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  return rows.map(({ labelName }) => labelName)
}

/** The names of the index with their kinds, in no order. */
export async function selectMetricNames(
  storage: Storage,
  request: ValuesRequest,
): Promise<readonly MetricName[]> {
  const { sql, params } = dayCondition(request.fromMs)
  const rows = await storage.select<{ readonly metricName: string; readonly seriesKind: SeriesKind }>({
    name: 'metrics.names',
    tenant: request.tenant,
    sql: `SELECT DISTINCT name AS metricName, kind AS seriesKind FROM ${INDEX_TABLE} WHERE ${sql}`,
    params,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  return rows.map(({ metricName, seriesKind }) => ({ name: metricName, kind: seriesKind }))
}
