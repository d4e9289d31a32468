import type { Storage } from '../storage/storage.ts'
import { quantile } from './quantile.ts'

/** Bytes on disk of what merges have left. */
export interface StoredSize {
  readonly spansBytes: number
  readonly tracesBytes: number
  /** Spans, trace index, roll-ups and the rest. */
  readonly allBytes: number
  /** Parts of table `spans`. */
  readonly parts: number
}

/** Reads the size of the active parts. */
export async function readStoredSize(storage: Storage): Promise<StoredSize> {
  const rows = await storage.select<{ table: string; bytes: string; parts: string }>({
    name: 'bench.size',
    tenant: 'default',
    sql: `SELECT table, sum(bytes_on_disk) AS bytes, count() AS parts
FROM system.parts
WHERE active AND database = currentDatabase() AND {tenant:String} != ''
GROUP BY table`,
  })
  const bytesOf = (table: string) => Number(rows.find((row) => row.table === table)?.bytes ?? 0)
  return {
    spansBytes: bytesOf('spans'),
    tracesBytes: bytesOf('traces'),
    allBytes: rows.reduce((sum, row) => sum + Number(row.bytes), 0),
    parts: Number(rows.find((row) => row.table === 'spans')?.parts ?? 0),
  }
}

/** Waits until no merge has run for two seconds, at most `seconds`. */
export async function settleMerges(storage: Storage, seconds: number): Promise<void> {
  let quietSince = performance.now()
  const until = quietSince + seconds * 1000
  while (performance.now() < until && performance.now() - quietSince < 2000) {
    const [row] = await storage.select<{ running: string }>({
      name: 'bench.merges',
      tenant: 'default',
      sql: `SELECT count() AS running FROM system.merges WHERE {tenant:String} != ''`,
    })
    if (row?.running !== '0') quietSince = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Looks for an attribute value without any index; the middle of `times` runs, milliseconds. */
export async function timeFullScan(storage: Storage, requestId: string, times: number): Promise<number> {
  const taken: number[] = []
  for (let index = 0; index < times; index++) {
    const begun = performance.now()
    await storage.select({
      name: 'bench.full-scan',
      tenant: 'default',
      sql: `SELECT count() FROM spans WHERE tenant = {tenant:String} AND attrs['guid:x-request-id'] = {id:String}`,
      params: { id: requestId },
      settings: { use_skip_indexes: 0, use_query_condition_cache: 0 },
    })
    taken.push(performance.now() - begun)
  }
  return quantile(taken, 0.5)
}
