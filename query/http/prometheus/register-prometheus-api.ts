import type { FastifyInstance } from 'fastify'
import { AppError } from '../../../runtime/errors.ts'
import { toAppError } from '../../../runtime/http-error.ts'
import { logFailure } from '../../../runtime/http-server.ts'
import { createQueryFrontend } from '../../promql/frontend/create-query-frontend.ts'
import type { QueryString } from '../query-values.ts'
import { DEFAULT_QUERY_BOUNDS, type PrometheusApiDeps } from './prometheus-api-deps.ts'
import { toPrometheusError } from './prometheus-error.ts'
import { registerExemplarRoutes } from './register-exemplar-routes.ts'
import { registerQueryRoutes } from './register-query-routes.ts'
import { registerSeriesRoutes } from './register-series-routes.ts'
import { registerStatusRoutes } from './register-status-routes.ts'

/**
 * Serves Prometheus' query API under `/prometheus/api/v1`: what Grafana's data source and promtool speak. Answers and errors are in its form.
 */
export function registerPrometheusApi(app: FastifyInstance, deps: PrometheusApiDeps): void {
  app.register(async (prometheus) => registerRoutes(prometheus, deps), { prefix: '/prometheus' })
}

function registerRoutes(app: FastifyInstance, deps: PrometheusApiDeps): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toAppError(thrown)
    logFailure(deps.logger, error, request)
    const { httpStatus, body } = toPrometheusError(error)
    return reply.code(httpStatus).type('application/json; charset=utf-8').send(JSON.stringify(body))
  })
  app.setNotFoundHandler(async (request) => {
    throw new AppError(
      'NOT_FOUND',
      `Cannot ${request.method} ${request.url}: no such path in Prometheus' API here`,
    )
  })
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, parseForm(String(body))),
  )

  const { engine, clock, bounds = DEFAULT_QUERY_BOUNDS } = deps
  registerQueryRoutes(app, { ...deps, frontend: createQueryFrontend({ engine, clock, ...bounds }) })
  registerSeriesRoutes(app, deps)
  registerExemplarRoutes(app, deps)
  registerStatusRoutes(app, deps)
}

function parseForm(body: string): QueryString {
  const values: Record<string, string[]> = Object.create(null)
  for (const [name, value] of new URLSearchParams(body)) {
    values[name] = [...(values[name] ?? []), value]
  }
  return values
}
