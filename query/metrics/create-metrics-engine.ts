import { createQueryEngine, type QueryEngineOptions } from '../promql/create-query-engine.ts'
import type { QueryEngine } from '../promql/query-engine.ts'
import type { QueryDeps } from '../query-deps.ts'
import { createClickHouseSource } from './create-clickhouse-source.ts'

/** PromQL over what is stored, with the engine's defaults unless told otherwise. */
export function createMetricsEngine(
  { storage, clock }: Pick<QueryDeps, 'storage' | 'clock'>,
  options: Omit<QueryEngineOptions, 'source' | 'clock'> = {},
): QueryEngine {
  return createQueryEngine({ source: createClickHouseSource(storage, clock), clock, ...options })
}
