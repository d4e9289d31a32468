import type { Storage } from '../../../storage/storage.ts'
import { SPAN_METRIC_DESCRIPTIONS, type SpanMetricDescription } from './span-metric-families.ts'

/** What is known of the metrics made of spans, of one or of all; of a tenant without spans nothing. Throws what `Storage.select` throws. */
export async function describeSpanMetrics(
  storage: Storage,
  request: {
    readonly tenant: string
    readonly name: string | null
    readonly signal?: AbortSignal | undefined
  },
): Promise<readonly SpanMetricDescription[]> {
  const wanted = SPAN_METRIC_DESCRIPTIONS.filter(({ name }) => request.name === null || name === request.name)
  if (wanted.length === 0) return []
  const rows = await storage.select<{ readonly rollUp: 'red' | 'edges' }>({
    name: 'metrics.metadata.spans',
    tenant: request.tenant,
    sql: `SELECT * FROM (SELECT 'red' AS rollUp FROM red_5m WHERE tenant = {tenant:String} LIMIT 1)
UNION ALL SELECT * FROM (SELECT 'edges' AS rollUp FROM edges_5m WHERE tenant = {tenant:String} LIMIT 1)`,
    params: {},
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  const rollUps = new Set(rows.map(({ rollUp }) => rollUp))
  return wanted.filter(({ name }) => rollUps.has(name.startsWith('traces_service_graph_') ? 'edges' : 'red'))
}
