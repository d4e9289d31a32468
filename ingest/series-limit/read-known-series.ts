import type { Storage } from '../../storage/storage.ts'
import type { KnownSeries } from './series-limiter.ts'

const DAY_MS = 86_400_000

/** Reads the series of a tenant that were told of today or yesterday (UTC). Throws what `Storage.select` throws. */
export async function readKnownSeries(
  storage: Pick<Storage, 'selectColumns'>,
  tenant: string,
  nowMs: number,
): Promise<KnownSeries> {
  const { blocks } = await storage.selectColumns({
    name: 'ingest.knownSeries',
    tenant,
    sql: `SELECT name AS metric, groupUniqArray(reinterpretAsUInt64(substring(CAST(id, 'String'), 1, 8))) AS ids
FROM prom_index
WHERE tenant = {tenant:String} AND day >= toDate({day:UInt16})
GROUP BY name`,
    params: { day: Math.max(0, Math.floor(nowMs / DAY_MS) - 1) },
  })
  const metrics: string[] = []
  const ends: number[] = []
  const parts: BigUint64Array[] = []
  let total = 0
  for (const { columns, rows } of blocks) {
    const names = columns.get('metric')
    const lists = columns.get('ids')
    const ids = lists?.kind === 'array' ? lists.elements[0] : undefined
    if (names?.kind !== 'text' || lists?.kind !== 'array' || ids?.kind !== 'number') continue
    if (!(ids.values instanceof BigUint64Array)) continue
    for (let row = 0; row < rows; row++) {
      metrics.push(names.values[row] ?? '')
      ends.push(total + (lists.ends[row] ?? 0))
    }
    parts.push(ids.values)
    total += ids.values.length
  }
  const ids = new BigUint64Array(total)
  let at = 0
  for (const part of parts) {
    ids.set(part, at)
    at += part.length
  }
  return { tenant, metrics, ends: Float64Array.from(ends), ids }
}
