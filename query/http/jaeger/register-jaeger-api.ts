import type { FastifyInstance } from 'fastify'
import type { QueryDeps } from '../../query-deps.ts'
import { registerJaegerMetrics } from './register-jaeger-metrics.ts'
import { registerJaegerV1 } from './register-jaeger-v1.ts'
import { registerJaegerV3 } from './register-jaeger-v3.ts'

/**
 * Serves Jaeger's query APIs under `/jaeger/api`: the older JSON API (Grafana's data source, older user interfaces) and
 * `v3` (Jaeger's own user interface since 2.15). Each answers errors in its own form.
 */
export function registerJaegerApi(app: FastifyInstance, deps: QueryDeps): void {
  app.register(
    async (jaeger) => {
      registerJaegerV1(jaeger, deps)
      registerJaegerMetrics(jaeger, deps)
    },
    { prefix: '/jaeger/api' },
  )
  app.register(async (v3) => registerJaegerV3(v3, deps), { prefix: '/jaeger/api/v3' })
}
