import type { FastifyInstance, FastifyRequest } from 'fastify'
import { toAppError } from '../../runtime/http-error.ts'
import { logFailure } from '../../runtime/http-server.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Refusals } from '../create-refusals.ts'
import { createByteBudget } from '../receivers/byte-budget.ts'
import { readBody } from '../receivers/request-body.ts'
import { refusedWrite, type WriteAnswer, type WriteRequest } from './answer-write.ts'
import { WRITE_PATH } from './take-write.ts'

/** What the route works with. */
export interface RemoteWriteDeps {
  /** Takes a request whose body was read, and counts it when it is refused; the body is given away. Throws AppError SHUTTING_DOWN. */
  readonly write: (request: WriteRequest) => Promise<WriteAnswer>
  /** Largest body, bytes. */
  readonly maxMessageBytes: number
  /** Bytes of bodies that may be read at once. */
  readonly maxInFlightBytes: number
  readonly logger: Logger
  /** Counts what is refused here: what has no token, is too large, or comes when too much is being read. */
  readonly refusals: Refusals
}

/** Serves Prometheus' remote write on the API's listener: the body is read here and taken by the receivers, who have the journal. */
export function registerRemoteWrite(app: FastifyInstance, deps: RemoteWriteDeps): void {
  const budget = createByteBudget(deps.maxInFlightBytes)
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    scope.setErrorHandler((thrown, request, reply) => {
      const error = toAppError(thrown)
      logFailure(deps.logger, error, request)
      deps.refusals.message('metrics', error)
      const { status, headers, body } = refusedWrite(error)
      return reply.code(status).headers(headers).send(body)
    })
    const config = { access: 'ingest' } as const
    const schema = { hide: true } as object
    scope.post(WRITE_PATH, { config, schema }, async (request: FastifyRequest, reply) => {
      const lease = budget.lease()
      try {
        const answer = await deps.write({
          tenant: request.tenant,
          contentType: request.headers['content-type'],
          contentEncoding: request.headers['content-encoding'],
          body: await readBody(request.raw, deps.maxMessageBytes, lease),
        })
        return reply.code(answer.status).headers(answer.headers).send(answer.body)
      } finally {
        lease.release()
        // What is left of a body that was refused is passed over: the connection would stand still.
        request.raw.resume()
      }
    })
  })
}
