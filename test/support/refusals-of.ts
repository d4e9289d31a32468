import type { Registry } from 'prom-client'

/** What the counter of refusals says: `logs malformed` → 1. */
export async function refusalsOf(registry: Registry): Promise<Record<string, number>> {
  const metric = await registry.getSingleMetric('meshwatch_ingest_refused_total')?.get()
  const values = metric?.values ?? []
  return Object.fromEntries(
    values.map(({ labels, value }) => [`${labels['signal']} ${labels['reason']}`, value]),
  )
}
