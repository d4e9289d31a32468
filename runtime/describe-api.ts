import { fastifySwagger } from '@fastify/swagger'
import { fastifySwaggerUi } from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'

/**
 * Describes every route under `/api` that is registered from now on, by its zod schemas, at `/api/openapi.json` and `/api/docs`.
 * Await it before the first route. `externalUrl`: how users reach the API, without trailing slash; null when it is not configured.
 */
export async function describeApi(app: FastifyInstance, externalUrl: string | null): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'meshwatch', version: '1', description: DESCRIPTION },
      ...(externalUrl === null ? {} : { servers: [{ url: externalUrl }] }),
    },
    transform: (route) => {
      // The façades are described by the systems they speak for.
      if (!route.url.startsWith('/api/')) return { schema: { hide: true }, url: route.url }
      return jsonSchemaTransform(route)
    },
    transformObject: jsonSchemaTransformObject,
  })
  await app.register(
    async (scope) => {
      // The description holds nothing of anybody, and a browser opens it without a token.
      scope.addHook('onRoute', (route) => {
        route.config = { ...route.config, access: 'open' }
      })
      await scope.register(fastifySwaggerUi, {
        routePrefix: '/docs',
        indexPrefix: '/api',
        staticCSP: DOCS_POLICY,
      })
      scope.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
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

const DESCRIPTION = `Traces, logs, metrics, rules and alerts of a service mesh. Times are RFC 3339, Unix seconds or \`now-1h\`; durations
\`250ms\`, \`1h30m\`. Nanoseconds and int64 attributes are decimal text. Errors are \`{"error":{"code","message",…}}\`.`
