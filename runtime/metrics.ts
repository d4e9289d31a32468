import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'

/** Metrics of another thread: what `registry.getMetricsAsJSON()` returned there. */
export type ThreadMetrics = readonly object[]

/** Makes a registry of our own; `process_*` and `nodejs_*` are in it when asked for (once per process). */
export function createRegistry(options: { readonly withProcessMetrics: boolean }): Registry {
  const registry = new Registry()
  if (options.withProcessMetrics) collectDefaultMetrics({ register: registry })
  return registry
}

/**
 * All metrics of the registry and of the other threads as Prometheus text, version 0.0.4.
 * The same series in two threads is summed (or as its `aggregator` says).
 */
export async function renderMetrics(registry: Registry, threads: readonly ThreadMetrics[]): Promise<string> {
  return await (await mergedRegistry(registry, threads)).metrics()
}

/** The metrics of the registry and of the other threads as one registry: a snapshot. */
export async function mergedRegistry(
  registry: Registry,
  threads: readonly ThreadMetrics[],
): Promise<Registry> {
  const own = await registry.getMetricsAsJSON()
  return AggregatorRegistry.aggregate([own, ...threads.map((metrics) => [...metrics])])
}
