import type { FastifyInstance } from 'fastify'
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { QueryDeps } from '../../query-deps.ts'
import { registerAttributeRoutes } from './register-attribute-routes.ts'
import { registerCardinalityRoutes } from './register-cardinality-routes.ts'
import { registerLogRoutes } from './register-log-routes.ts'
import { registerServiceRoutes } from './register-service-routes.ts'
import { registerTraceRoutes } from './register-trace-routes.ts'

/** Serves this room's part of the native REST API, under `/api`. */
export function registerNativeApi(app: FastifyInstance, deps: QueryDeps): void {
  app.register(
    async (scope) => {
      const api = scope.withTypeProvider<ZodTypeProvider>()
      api.setValidatorCompiler(validatorCompiler)
      // Answers are made by us in the described form, which tests check; checking each of 20,000 spans again takes longer than
      // reading them.
      api.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
      registerServiceRoutes(api, deps)
      registerTraceRoutes(api, deps)
      registerLogRoutes(api, deps)
      registerAttributeRoutes(api, deps)
      registerCardinalityRoutes(api, deps)
    },
    { prefix: '/api' },
  )
}
