import type { FastifyInstance } from 'fastify'
import { registerJaegerApi } from '../../query/http/jaeger/register-jaeger-api.ts'
import { registerNativeApi } from '../../query/http/native/register-native-api.ts'
import { registerPrometheusApi } from '../../query/http/prometheus/register-prometheus-api.ts'
import { registerTempoApi } from '../../query/http/tempo/register-tempo-api.ts'
import { createMetricsEngine } from '../../query/metrics/create-metrics-engine.ts'
import type { AccessControl } from '../../runtime/access-control.ts'
import { AppError } from '../../runtime/errors.ts'
import { createHttpServer } from '../../runtime/http-server.ts'
import { type OpenQueryDeps, openQueryDeps } from './open-query-deps.ts'

/** The REST API and the façades on an API server that does not listen, over an engine of their own. */
export interface OpenFacades {
  readonly app: FastifyInstance
  readonly deps: OpenQueryDeps
  close(): Promise<void>
}

/** `Bearer <tenant>` is the token of a tenant; no token is tenant `default`; `Bearer nobody` is refused. */
const ACCESS: AccessControl = {
  isEnforced: true,
  authorize({ authorization }) {
    const tenant = authorization?.replace('Bearer ', '') ?? 'default'
    if (tenant === 'nobody') throw new AppError('UNAUTHENTICATED', 'Cannot answer: the token is not known')
    return { tenant }
  },
}

/** Opens the façades for a test file. `now`: what the clock says, epoch milliseconds. */
export async function openFacades(options: { readonly now: number }): Promise<OpenFacades> {
  const deps = await openQueryDeps(options)
  const { clock, logger, registry } = deps
  const app = createHttpServer({ access: ACCESS, tls: null, clock, logger, registry })
  registerNativeApi(app, deps)
  registerJaegerApi(app, deps)
  registerTempoApi(app, deps)
  registerPrometheusApi(app, { ...deps, engine: createMetricsEngine(deps) })
  await app.ready()
  return {
    app,
    deps,
    close: async () => {
      await app.close()
      await deps.close()
    },
  }
}
