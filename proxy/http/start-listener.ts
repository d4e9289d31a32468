import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorMessage } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { handleRequest } from './handle-request.ts'
import type { ProxyRuntime } from './proxy-runtime.ts'
import { createRequestContext, interrupt, type ListenerRole } from './request-context.ts'

/** A port that takes requests. */
export interface ProxyListener {
  /** `127.0.0.1:15001`, with the port that was given for 0. */
  readonly address: string
  readonly role: ListenerRole['role']
  /** Takes no more connections, lets requests end for at most `graceMs`, then cuts them off. */
  close(graceMs: number): Promise<void>
}

/** How a listener stands. */
export interface ListenerOptions {
  readonly proxy: ProxyRuntime
  readonly role: ListenerRole
  readonly host: string
  readonly port: number
  readonly logger: Logger
}

/** What a request's head may be long. */
const MAX_HEAD_BYTES = 64 * 1024
/** Envoy's `stream_idle_timeout` is five minutes; a slow head is a matter of seconds. */
const HEADERS_TIMEOUT_MS = 60_000

/** Starts to listen. Rejects with what listening fails with. */
export async function startListener(options: ListenerOptions): Promise<ProxyListener> {
  const { proxy, role, logger } = options
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const context = createRequestContext(proxy, role, request, response)
    response.once('close', () => {
      if (!response.writableFinished) interrupt(context, 'downstream')
    })
    // Without a listener, a caller that breaks off ends the process.
    request.on('error', () => {})
    response.on('error', () => {})
    handleRequest(context).catch((error: unknown) => {
      logger.error({ event: 'request-failed', reason: errorMessage(error), err: error })
      if (response.headersSent) response.destroy()
      else response.writeHead(500, ['content-length', '0']).end()
    })
  }
  const server = createServer({ maxHeaderSize: MAX_HEAD_BYTES, insecureHTTPParser: false }, serve)
  // Bodies may stream for as long as they move; policies set the limits.
  server.requestTimeout = 0
  server.headersTimeout = HEADERS_TIMEOUT_MS
  // Longer than what common clients keep, so that they close first and no request meets a closed connection.
  server.keepAliveTimeout = 75_000
  await listen(server, options)
  const { address, family, port } = server.address() as AddressInfo
  return {
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    role: role.role,
    close: (graceMs) => closeServer(server, graceMs),
  }
}

function listen(server: Server, options: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** How often connections that have become idle are closed while requests end. */
const SWEEP_MS = 50

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => server.closeAllConnections(), graceMs)
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
    server.close(() => {
      clearTimeout(limit)
      clearInterval(sweep)
      resolve()
    })
    server.closeIdleConnections()
  })
}
