import type { FastifyInstance } from 'fastify'
import { firstValue, type QueryString } from '../query/http/query-values.ts'

/** Serves `/graph?g0.expr=…`, where Prometheus' links to an alert's rule lead: shows what the expression gives now. */
export function registerGraph(app: FastifyInstance): void {
  app.get<{ Querystring: QueryString }>(
    '/graph',
    { schema: { hide: true } as object },
    async (request, reply) => {
      const query = new URLSearchParams({ query: firstValue(request.query, 'g0.expr') ?? '' })
      return reply.redirect(`/prometheus/api/v1/query?${query.toString()}`, 302)
    },
  )
}
