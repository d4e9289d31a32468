import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { AppError } from '../../runtime/errors.ts'
import type { Signal } from '../export-sink.ts'
import { isWriteRequest, takeWrite } from '../prometheus/take-write.ts'
import { formOf, refusedAnswer, signalOf, takeExport, takenAnswer } from './export-over-http.ts'
import { cannotListen, hostAndPort, type Receiver, type ReceiverOptions } from './receiver.ts'
import type { OtlpProtocol } from './receiver-metrics.ts'
import { type HttpAnswer, sendAnswer } from './send-answer.ts'

/** How long a connection may take for what, milliseconds. A request that trickles in is cut with 408. */
export interface HttpTimeouts {
  readonly headersMs: number
  readonly requestMs: number
  /** An idle connection is kept this long: longer than exporters and balancers keep theirs, so that they close first. */
  readonly idleMs: number
}

const DEFAULT_TIMEOUTS: HttpTimeouts = { headersMs: 10_000, requestMs: 60_000, idleMs: 120_000 }
const HANDSHAKE_MS = 10_000
const MAX_HEADER_BYTES = 16 * 1024

/**
 * Makes the OTLP/HTTP receiver: `POST /v1/traces`, `/v1/metrics`, `/v1/logs` as the OTLP specification 1.x has it; and Prometheus' remote
 * write where it is given a sink for it. No CORS: browsers of
 * other origins are not answered.
 */
export function createOtlpHttp(
  options: ReceiverOptions & { readonly timeouts?: Partial<HttpTimeouts> },
): Receiver {
  let isClosing = false
  const sockets = new Set<Socket>()

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request, response)
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAt = options.clock.monotonic()
    options.metrics.inFlight(1)
    const [protocol, signal, reply] = await replyTo(request, response)
    options.metrics.inFlight(-1)
    if (signal !== undefined) {
      options.metrics.observe(protocol, signal, reply.status, options.clock.monotonic() - startedAt)
    }
    if (isClosing) reply.headers['connection'] = 'close'
    sendAnswer(request, response, reply)
  }

  const replyTo = async (
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<[OtlpProtocol, Signal | undefined, HttpAnswer]> => {
    const { writes } = options
    if (writes !== undefined && isWriteRequest(request)) {
      const lease = options.budget.lease()
      const reply = await takeWrite({ ...options, writes, isClosing }, request, response, lease)
      lease.release()
      return ['remote-write', 'metrics', reply]
    }
    const signal = signalOf(request)
    const protocol = formOf(request) === 'json' ? 'http/json' : 'http/protobuf'
    return [protocol, signal, await decide(signal, request, response)]
  }

  /** Never rejects: whatever is thrown becomes an answer. */
  const decide = async (
    signal: Signal | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<HttpAnswer> => {
    const form = formOf(request) ?? 'json'
    const lease = options.budget.lease()
    try {
      if (signal === undefined)
        throw new AppError('NOT_FOUND', `Cannot take the message: no such path ${request.url}`)
      if (request.method !== 'POST') {
        throw new AppError(
          'METHOD_NOT_ALLOWED',
          `Cannot take the message: expected POST, got ${request.method}`,
        )
      }
      const taker = { ...options, isClosing }
      return takenAnswer(signal, form, await takeExport(taker, signal, request, response, lease))
    } catch (error) {
      if (!(error instanceof AppError)) options.logger.error({ event: 'otlp.failed', signal, err: error })
      else options.logger.debug({ event: 'otlp.refused', signal, code: error.code }, error.message)
      return refusedAnswer(form, error)
    } finally {
      lease.release()
    }
  }

  const server = createHttpServer(options, { ...DEFAULT_TIMEOUTS, ...options.timeouts })
  server.on('request', onRequest).on('checkContinue', onRequest)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  return {
    async listen(host, port) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      server.once('error', reject)
      server.listen(port, host, resolve)
      try {
        await promise
      } catch (error) {
        throw cannotListen('OTLP/HTTP', host, port, error)
      }
      server.off('error', reject)
      const { port: actual } = server.address() as AddressInfo
      return `${options.tls === null ? 'http' : 'https'}://${hostAndPort(host, actual)}`
    },
    renewTls(tls) {
      if (server instanceof TlsServer) server.setSecureContext(tls)
    },
    async close(graceMs) {
      isClosing = true
      if (!server.listening) return
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, graceMs)
      await promise
      clearTimeout(timer)
    },
  }
}

function createHttpServer(options: ReceiverOptions, timeouts: HttpTimeouts): Server {
  const settings: ServerOptions = {
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.idleMs,
    connectionsCheckingInterval: Math.min(5000, timeouts.headersMs),
    maxHeaderSize: MAX_HEADER_BYTES,
    noDelay: true,
  }
  if (options.tls === null) return createServer(settings)
  return createTlsServer({ ...settings, ...options.tls, handshakeTimeout: HANDSHAKE_MS })
}
