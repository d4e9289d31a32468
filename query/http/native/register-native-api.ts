import { fastifySwagger } from '@fastify/swagger'
import { fastifySwaggerUi } from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import type { QueryDeps } from '../../query-deps.ts'
import { registerAttributeRoutes } from './register-attribute-routes.ts'
import { registerCardinalityRoutes } from './register-cardinality-routes.ts'
import { registerLogRoutes } from './register-log-routes.ts'
import { registerServiceRoutes } from './register-service-routes.ts'
import { registerTraceRoutes } from './register-trace-routes.ts'

/** Serves the native REST API under `/api`, its description at `/api/openapi.json` and `/api/docs`. */
export function registerNativeApi(app: FastifyInstance, deps: QueryDeps): void {
  app.register(
    async (scope) => {
      const api = scope.withTypeProvider<ZodTypeProvider>()
      api.setValidatorCompiler(validatorCompiler)
      // Answers are made by us in the described form, which tests check; checking each of 20,000 spans again takes longer than
      // reading them.
      api.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
      // The description holds nothing of anybody, and a browser opens it without a token.
      api.addHook('onRoute', (route) => {
        if (/^\/api\/(docs|openapi\.json)/.test(route.url)) route.config = { ...route.config, access: 'open' }
      })
      await api.register(fastifySwagger, {
        openapi: {
          openapi: '3.1.0',
          info: { title: 'meshwatch', version: '1', description: DESCRIPTION },
          ...(deps.externalUrl === null ? {} : { servers: [{ url: deps.externalUrl }] }),
        },
        transform: jsonSchemaTransform,
        transformObject: jsonSchemaTransformObject,
      })
      await api.register(fastifySwaggerUi, {
        routePrefix: '/docs',
        indexPrefix: '/api',
        staticCSP: DOCS_POLICY,
      })
      registerServiceRoutes(api, deps)
      registerTraceRoutes(api, deps)
      registerLogRoutes(api, deps)
      registerAttributeRoutes(api, deps)
      registerCardinalityRoutes(api, deps)
      api.get('/openapi.json', { schema: { hide: true } }, () => api.swagger())
    },
    { prefix: '/api' },
  )
}

/** Nothing from elsewhere. The page sets styles on its elements; it is served by plain HTTP where there is no TLS. */
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ')

const DESCRIPTION = `Traces, logs and metrics of a service mesh. Times are RFC 3339, Unix seconds or \`now-1h\`; durations \`250ms\`, \`1h30m\`.
Nanoseconds and int64 attributes are decimal text. Errors are \`{"error":{"code","message",…}}\`.`
