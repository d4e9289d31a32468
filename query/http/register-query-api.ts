import type { FastifyInstance } from 'fastify'
import { createMetricsEngine } from '../metrics/create-metrics-engine.ts'
import type { QueryDeps } from '../query-deps.ts'
import { registerJaegerApi } from './jaeger/register-jaeger-api.ts'
import { registerNativeApi } from './native/register-native-api.ts'
import type { PrometheusApiDeps } from './prometheus/prometheus-api-deps.ts'
import { registerPrometheusApi } from './prometheus/register-prometheus-api.ts'
import { registerTempoApi } from './tempo/register-tempo-api.ts'

/** What the API is made from; the engine is made here when there is none yet. */
export type QueryApiDeps = QueryDeps &
  Partial<Pick<PrometheusApiDeps, 'engine' | 'bounds' | 'rules' | 'alerts'>>

/**
 * Serves everything this room answers: the native API under `/api`, the façades under `/jaeger`, `/tempo` and `/prometheus`.
 */
export async function registerQueryApi(app: FastifyInstance, deps: QueryApiDeps): Promise<void> {
  registerNativeApi(app, deps)
  registerJaegerApi(app, deps)
  registerTempoApi(app, deps)
  const { maxSamples } = deps
  const engine = deps.engine ?? createMetricsEngine(deps, maxSamples === undefined ? {} : { maxSamples })
  registerPrometheusApi(app, { ...deps, engine })
}
