import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Histogram, type Registry } from 'prom-client'
import type { Clock } from './clock.ts'

/** Observes every API request in `meshwatch_http_request_duration_seconds{method,route,status}`; status `gone`: the client left. */
export function measureRequests(app: FastifyInstance, clock: Clock, registry: Registry): void {
  const duration = new Histogram({
    name: 'meshwatch_http_request_duration_seconds',
    help: 'Time from the start of an API request to the last byte of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  const startedAt = new WeakMap<FastifyRequest, number>()
  app.addHook('onRequest', async (request) => {
    startedAt.set(request, clock.monotonic())
  })
  app.addHook('onResponse', async (request, reply) => {
    const began = startedAt.get(request)
    if (began === undefined) return
    duration.observe(
      {
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: request.abortSignal.aborted ? 'gone' : String(reply.statusCode),
      },
      (clock.monotonic() - began) / 1000,
    )
  })
}
