import { createQueryEngine, type QueryEngineOptions } from '../promql/create-query-engine.ts'
import type { QueryEngine } from '../promql/query-engine.ts'
import type { QueryDeps } from '../query-deps.ts'
import { type ClickHouseSourceOptions, createClickHouseSource } from './create-clickhouse-source.ts'
import { withSpanMetrics } from './span-metrics/with-span-metrics.ts'

/** How an engine on what is stored differs from the default one. */
export interface MetricsEngineOptions
  extends Omit<QueryEngineOptions, 'source' | 'clock'>,
    Pick<ClickHouseSourceOptions, 'path' | 'changes'> {}

/** PromQL over what is stored, with the engine's defaults unless told otherwise. */
export function createMetricsEngine(
  { storage, clock, logger }: Pick<QueryDeps, 'storage' | 'clock'> & Partial<Pick<QueryDeps, 'logger'>>,
  { path = 'auto', changes, ...options }: MetricsEngineOptions = {},
): QueryEngine {
  const stored = createClickHouseSource(storage, clock, {
    path,
    ...(changes === undefined ? {} : { changes }),
    onRefused: (refused) => logger?.warn({ event: 'grid-functions-refused', refused }),
  })
  return createQueryEngine({ source: withSpanMetrics(stored, storage, clock), clock, ...options })
}
