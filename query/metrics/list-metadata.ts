import { compareBytes } from '../../model/labels.ts'
import type { Storage } from '../../storage/storage.ts'
import type { SeriesKind } from './index-condition.ts'
import { describeSpanMetrics } from './span-metrics/describe-span-metrics.ts'

/** What is known of a metric beside its series. */
export interface MetricMetadata {
  /** In Prometheus' form; of histograms and summaries without suffix. */
  readonly name: string
  /** In Prometheus' words: `counter`, `gauge`, `histogram`, `gaugehistogram`, `summary`, `info`, `stateset` or `unknown`. */
  readonly type: string
  readonly help: string
  readonly unit: string
  /** The name it was sent by; absent where a sender of Prometheus' samples said so. */
  readonly otelName?: string
}

/** Which metadata. */
export interface MetadataRequest {
  readonly tenant: string
  /** Of one metric; null: of all. */
  readonly name: string | null
  /** Entries at most from each of OTLP and remote write. */
  readonly limit: number
  readonly signal?: AbortSignal | undefined
}

/** Reads the metadata of one metric, or of all, by name: what OTLP says, then what senders of Prometheus' samples said last, then of what is made of spans. */
export async function listMetadata(storage: Storage, request: MetadataRequest): Promise<MetricMetadata[]> {
  const lists = await Promise.all([
    readDescriptions(storage, request),
    readSaid(storage, request),
    describeSpanMetrics(storage, request),
  ])
  return lists.flat().sort((a, b) => compareBytes(a.name, b.name))
}

async function readDescriptions(storage: Storage, request: MetadataRequest): Promise<MetricMetadata[]> {
  const { tenant, name, limit, signal } = request
  const rows = await storage.select<Row>({
    name: 'metrics.metadata',
    tenant,
    sql: `SELECT DISTINCT name AS promName, kind AS seriesKind, is_monotonic AS isMonotonic, description AS help, unit AS metricUnit, metric AS otelName
FROM prom_descriptions
WHERE tenant = {tenant:String}${name === null ? '' : ' AND name = {name:String}'}
ORDER BY promName, otelName, seriesKind, isMonotonic, help, metricUnit
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

async function readSaid(storage: Storage, request: MetadataRequest): Promise<MetricMetadata[]> {
  const { tenant, name, limit, signal } = request
  const rows = await storage.select<SaidRow>({
    name: 'metrics.metadata.said',
    tenant,
    sql: `SELECT name AS promName, argMax((type, help, unit), version) AS said
FROM prom_metadata
WHERE tenant = {tenant:String}${name === null ? '' : ' AND name = {name:String}'}
GROUP BY promName
ORDER BY promName
LIMIT {limit:UInt32}`,
    params: { limit, ...(name === null ? {} : { name }) },
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.map(({ promName, said: [type, help, unit] }) => ({ name: promName, type, help, unit }))
}

interface Row {
  readonly promName: string
  readonly seriesKind: SeriesKind
  readonly isMonotonic: boolean
  readonly help: string
  readonly metricUnit: string
  readonly otelName: string
}

interface SaidRow {
  readonly promName: string
  readonly said: readonly [type: string, help: string, unit: string]
}

function typeOf({ seriesKind, isMonotonic }: Row): string {
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
