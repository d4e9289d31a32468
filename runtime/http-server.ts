import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify'
import type { Registry } from 'prom-client'
import type { AccessControl, AccessScope } from './access-control.ts'
import { DEFAULT_TENANT } from './access-control.ts'
import type { Clock } from './clock.ts'
import type { AppError } from './errors.ts'
import { httpErrorBody, toAppError } from './http-error.ts'
import type { Logger } from './logger.ts'
import { measureRequests } from './request-metrics.ts'
import { traceRequests } from './request-tracing.ts'
import { recordRoutes } from './route-list.ts'
import type { TlsMaterial } from './tls.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose data the request is about; from the token. Set before any handler runs. */
    tenant: string
    /** Aborted when the client goes away before the answer is complete. Hand it to every `Storage.select`. */
    abortSignal: AbortSignal
  }
  interface FastifyContextConfig {
    /** What the route needs. Default: `read` for GET and HEAD, `write` for the others. `open`: no token. */
    access?: AccessScope | 'open'
  }
}

/** What an API server is made from. */
export interface HttpServerOptions {
  readonly access: AccessControl
  readonly tls: TlsMaterial | null
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  /** Largest request body, bytes. Default 10 MiB. */
  readonly maxBodyBytes?: number
}

/**
 * Makes the server of the REST API, not listening yet: TLS, access control per route, `request.tenant`, `request.abortSignal`,
 * request ids (`x-request-id` in and out), errors as `{"error":{"code","message",…}}`, a duration metric, a span per request.
 * A plugin that speaks another error form sets its own error handler and maps with `toAppError`.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const app = fastify({
    // Our own log line knows route, tenant and code; fastify's two lines per request do not.
    logger: false,
    https: options.tls,
    bodyLimit: options.maxBodyBytes ?? 10 * 1024 * 1024,
    requestIdHeader: false,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => sendError(options.logger, error, request, reply),
  }) as unknown as FastifyInstance
  app.decorateRequest('tenant', DEFAULT_TENANT)
  app.decorateRequest('abortSignal')
  const explainMissing = recordRoutes(app)
  measureRequests(app, options.clock, options.registry)
  traceRequests(app)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    request.abortSignal = signalOfClient(reply)
    if (!request.is404) authorizeRequest(request, options.access)
  })
  app.setErrorHandler((error: FastifyError, request, reply) =>
    sendError(options.logger, error, request, reply),
  )
  app.setNotFoundHandler((request, reply) =>
    sendError(options.logger, explainMissing(request.method, request.url), request, reply),
  )
  return app
}

function authorizeRequest(request: FastifyRequest, access: AccessControl): void {
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  const scope = request.routeOptions.config.access ?? (isReading ? 'read' : 'write')
  if (scope === 'open') return
  const asked = request.headers['x-scope-orgid']
  const { tenant } = access.authorize(
    {
      authorization: request.headers.authorization,
      'x-scope-orgid': Array.isArray(asked) ? asked[0] : asked,
    },
    scope,
  )
  request.tenant = tenant
}

function signalOfClient(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort()
  })
  return controller.signal
}

function sendError(logger: Logger, thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = toAppError(thrown)
  logFailure(logger, error, request)
  if (error.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000))
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer realm="meshwatch"')
  if (error.code === 'METHOD_NOT_ALLOWED') reply.header('allow', String(error.details?.['allow'] ?? ''))
  void reply
    .code(error.httpStatus)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(httpErrorBody(error))
}

/** Says what the client is not told: the cause of an unexpected error. */
export function logFailure(logger: Logger, error: AppError, request: FastifyRequest): void {
  const fields = { event: 'request-failed', requestId: request.id, method: request.method, url: request.url }
  if (error.code === 'INTERNAL') logger.error({ ...fields, err: error.cause ?? error }, error.message)
  else logger.debug({ ...fields, code: error.code }, error.message)
}

function requestId(given: string | string[] | undefined): string {
  if (typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given)) return given
  return crypto.randomUUID()
}
