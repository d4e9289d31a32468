import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../../../runtime/errors.ts'
import { toAppError } from '../../../runtime/http-error.ts'
import { logFailure } from '../../../runtime/http-server.ts'
import { createQueryFrontend } from '../../promql/frontend/create-query-frontend.ts'
import type { QueryString } from '../query-values.ts'
import { DEFAULT_QUERY_BOUNDS, type PrometheusAnswer, type PrometheusApiDeps } from './prometheus-api-deps.ts'
import { toPrometheusError } from './prometheus-error.ts'
import { registerExemplarRoutes } from './register-exemplar-routes.ts'
import { registerQueryRoutes } from './register-query-routes.ts'
import { registerSeriesRoutes } from './register-series-routes.ts'
import { parametersOf } from './request-parameters.ts'

/** Grafana and others decide by it what they may ask for. */
const API_OF_VERSION = '3.5.0'

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
  const answer = (path: string, from: PrometheusAnswer) =>
    app.get(path, async (request: FastifyRequest) => ({
      status: 'success',
      data: await from({ tenant: request.tenant, query: parametersOf(request) }),
    }))
  answer('/api/v1/rules', deps.rules ?? (() => ({ groups: [] })))
  answer('/api/v1/alerts', deps.alerts ?? (() => ({ alerts: [] })))
  answer('/api/v1/status/buildinfo', () => ({
    version: API_OF_VERSION,
    revision: '',
    branch: 'meshwatch',
    buildUser: '',
    buildDate: '',
    goVersion: '',
  }))
}

function parseForm(body: string): QueryString {
  const values: Record<string, string[]> = Object.create(null)
  for (const [name, value] of new URLSearchParams(body)) {
    values[name] = [...(values[name] ?? []), value]
  }
  return values
}
