import { LRUCache } from 'lru-cache'
import type { Storage } from '../../storage/storage.ts'
import type { SampleScope } from './read-samples.ts'

/** Whether any of the metrics of a scope has native histograms, at whatever time. */
export type HasHistograms = (
  storage: Storage,
  scope: Pick<SampleScope, 'tenant' | 'metrics' | 'signal'>,
) => Promise<boolean>

/** Answers remembered. */
const MAX_ANSWERS = 10_000

/** A reader that does not ask again where it is known that nothing was written since. */
export function createHistogramPresence(): HasHistograms {
  const remembered = new LRUCache<string, { readonly revision: number; readonly hasAny: boolean }>({
    max: MAX_ANSWERS,
  })
  return async (storage, { tenant, metrics, signal }) => {
    if (metrics.length === 0) return false
    const key = JSON.stringify([tenant, ...metrics])
    const revision = storage.revision('prom_histograms')
    const known = remembered.get(key)
    if (known !== undefined && known.revision === revision) return known.hasAny
    const { rows } = await storage.selectColumns({
      name: 'metrics.hasHistograms',
      tenant,
      sql: `SELECT 1 FROM prom_histograms
WHERE tenant = {tenant:String} AND metric IN {metrics:Array(String)} LIMIT 1`,
      params: { metrics },
      ...(signal === undefined ? {} : { signal }),
    })
    if (revision !== null) remembered.set(key, { revision, hasAny: rows > 0 })
    return rows > 0
  }
}
