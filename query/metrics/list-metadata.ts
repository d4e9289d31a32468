import type { Storage } from '../../storage/storage.ts'
import type { SeriesKind } from './index-condition.ts'

/** What is known of a metric beside its series. */
export interface MetricMetadata {
  /** In Prometheus' form; of histograms and summaries without suffix. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown'
  readonly help: string
  readonly unit: string
  /** The name it was sent by. */
  readonly otelName: string
}

/** Reads the metadata of one metric, or of all (`name` null), by name. */
export async function listMetadata(
  storage: Storage,
  request: {
    readonly tenant: string
    readonly name: string | null
    readonly limit: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<MetricMetadata[]> {
  const { tenant, name, limit, signal } = request
  const rows = await storage.select<Row>({
    name: 'metrics.metadata',
    tenant,
    sql: `SELECT name AS promName, kind AS seriesKind, is_monotonic AS isMonotonic, description AS help, unit AS metricUnit, metric AS otelName
FROM prom_series
WHERE tenant = {tenant:String}${name === null ? '' : ' AND name = {name:String}'}
GROUP BY promName, seriesKind, isMonotonic, help, metricUnit, otelName
ORDER BY promName, otelName, seriesKind, isMonotonic, help
LIMIT {limit:UInt32}`,
    params: { limit, ...(name === null ? {} : { name }) },
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.map((row) => ({
    name: row.promName,
    type: typeOf(row),
    help: row.help,
    unit: row.metricUnit,
    otelName: row.otelName,
  }))
}

interface Row {
  readonly promName: string
  readonly seriesKind: SeriesKind
  readonly isMonotonic: boolean
  readonly help: string
  readonly metricUnit: string
  readonly otelName: string
}

function typeOf({ seriesKind, isMonotonic }: Row): MetricMetadata['type'] {
  switch (seriesKind) {
    case 'sum':
      return isMonotonic ? 'counter' : 'gauge'
    case 'exponential_histogram':
      return 'histogram'
    case 'sample':
      return 'unknown'
    default:
      return seriesKind
  }
}
