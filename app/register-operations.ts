import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { renderMetrics, type ThreadMetrics } from '../runtime/metrics.ts'
import { type ReadinessCheck, readReadiness } from './readiness.ts'

/** What the operations routes ask. */
export interface OperationsDeps {
  readonly registry: Registry
  /** The metrics of our other threads, now. */
  readonly threadMetrics: () => Promise<readonly ThreadMetrics[]>
  readonly checks: Readonly<Record<string, ReadinessCheck>>
}

/** `/healthz` (the process answers), `/readyz` (each dependency's state; 503 unless all are ready), `/metrics`. */
export function registerOperations(app: FastifyInstance, deps: OperationsDeps): void {
  app.get('/healthz', { config: { access: 'open' }, schema: { hide: true } as object }, async () => ({
    status: 'ok',
  }))
  app.get(
    '/readyz',
    { config: { access: 'open' }, schema: { hide: true } as object },
    async (_request, reply) => {
      const { isReady, dependencies } = await readReadiness(deps.checks)
      reply.code(isReady ? 200 : 503)
      return { status: isReady ? 'ready' : 'not ready', dependencies }
    },
  )
  app.get('/metrics', { schema: { hide: true } as object }, async (_request, reply) => {
    reply.type('text/plain; version=0.0.4; charset=utf-8')
    return await renderMetrics(deps.registry, await deps.threadMetrics())
  })
}
