import type { Storage } from '../storage/storage.ts'

/** What {@link fillSeries} stores. */
export interface SeriesFilled {
  readonly series: number
  readonly metrics: number
  readonly pods: number
}

const PER_METRIC = 5000

/**
 * Tells of series as a mesh of 100,000 pods has them, on yesterday and today: metrics of 5,000 series each, `metric_N_total` and, every fourth,
 * `metric_N_bucket` with `le`; labels job (20), namespace (30), instance (1,000), pod (100,000), path (97), method, status.
 */
export async function fillSeries(storage: Storage, series: number): Promise<SeriesFilled> {
  const pods = Math.max(1, Math.floor(series / 10))
  for (const day of ['yesterday()', 'today()']) {
    await storage.command(
      `INSERT INTO prom_series (tenant, name, id, day, kind, metric, labels)
SELECT
  'default',
  concat('metric_', toString(metric), if(metric % 4 = 0, '_bucket', '_total')) AS name,
  sipHash128(number),
  ${day},
  'sample',
  name,
  mapFilter((k, v) -> v != '', map(
    'cluster', 'eu-1',
    'instance', concat('10.0.', toString(pod % 1000), '.1:9090'),
    'job', concat('job-', toString(pod % 20)),
    'le', if(metric % 4 = 0, toString(exp2(number % 12)), ''),
    'method', ['GET', 'PUT', 'POST', 'DELETE'][1 + number % 4],
    'namespace', concat('ns-', toString(pod % 30)),
    'path', concat('/api/v1/resource/', toString(number % 97)),
    'pod', concat('pod-', toString(pod), '-abcde'),
    'status', ['200', '404', '500'][1 + number % 3]))
FROM (SELECT number, intDiv(number, ${PER_METRIC}) AS metric, number % {pods:UInt32} AS pod FROM numbers({series:UInt32}))
SETTINGS max_insert_block_size = 65536`,
      { series, pods },
    )
  }
  return { series, metrics: Math.ceil(series / PER_METRIC), pods }
}
