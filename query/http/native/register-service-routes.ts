import { z } from 'zod'
import { SPAN_KINDS } from '../../../model/span.ts'
import { count, READ_ERRORS } from '../../../runtime/answer-schemas.ts'
import type { QueryDeps } from '../../query-deps.ts'
import { listOperations } from '../../traces/list-operations.ts'
import { listServices } from '../../traces/list-services.ts'
import type { NativeApp } from './native-app.ts'
import { filterParameters, rangeParameters, resolveRange } from './parameters.ts'

/** The answer of `/api/services`. */
export const servicesResponse = z.strictObject({
  services: z.array(z.strictObject({ service: z.string(), spanCount: count, errorCount: count })),
})

/** The answer of `/api/services/{service}/operations`. */
export const operationsResponse = z.strictObject({
  operations: z.array(
    z.strictObject({
      name: z.string(),
      kinds: z.array(z.enum(SPAN_KINDS)),
      spanCount: count,
      errorCount: count,
    }),
  ),
})

/** Serves `/api/services` and the operations of a service. */
export function registerServiceRoutes(app: NativeApp, deps: QueryDeps): void {
  app.get(
    '/services',
    {
      schema: {
        summary: 'Services that sent spans',
        description: 'By name. The range is widened to whole slots of ten seconds.',
        tags: ['traces'],
        querystring: z.strictObject(rangeParameters),
        response: { 200: servicesResponse, ...READ_ERRORS },
      },
    },
    async (request) => ({
      services: await listServices(deps, {
        tenant: request.tenant,
        ...resolveRange(deps, request.query),
        signal: request.abortSignal,
      }),
    }),
  )
  app.get(
    '/services/:service/operations',
    {
      schema: {
        summary: 'Span names of a service',
        description:
          'By name, with the kinds they occur in. The range is widened to whole slots of ten seconds.',
        tags: ['traces'],
        params: z.strictObject({
          service: z.string().meta({ description: 'As `/api/services` tells it.', example: 'checkout' }),
        }),
        querystring: z.strictObject({ ...rangeParameters, kind: filterParameters.kind }),
        response: { 200: operationsResponse, ...READ_ERRORS },
      },
    },
    async (request) => {
      const operations = await listOperations(deps, {
        tenant: request.tenant,
        service: request.params.service,
        kind: request.query.kind,
        ...resolveRange(deps, request.query),
        signal: request.abortSignal,
      })
      return { operations: operations.map((operation) => ({ ...operation, kinds: [...operation.kinds] })) }
    },
  )
}
