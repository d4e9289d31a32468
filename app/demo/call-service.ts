import { Agent, type IncomingHttpHeaders, request } from 'node:http'

/** A request of one service to another, through the caller's own proxy. */
export interface ServiceCall {
  /** `host:port` of the proxy's outbound listener. */
  readonly proxy: string
  /** Whom it is for: the proxy goes by this name. */
  readonly service: string
  readonly method: string
  readonly path: string
  /** Of the request being served: what belongs to the trace is handed on. */
  readonly headers: IncomingHttpHeaders
}

/** A function that calls services; `close` ends its connections. */
export interface ServiceCaller {
  /** Resolves with the status; 0 when there was no answer within ten seconds. Never rejects. */
  call(call: ServiceCall): Promise<number>
  close(): void
}

const TIMEOUT_MS = 10_000
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage', 'x-request-id'] as const

/** Makes a caller with connections of its own. */
export function createServiceCaller(): ServiceCaller {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  return {
    call: ({ proxy, service, method, path, headers }) =>
      new Promise((resolve) => {
        const outgoing: Record<string, string> = { host: service }
        for (const name of TRACE_HEADERS) {
          const value = headers[name]
          if (typeof value === 'string') outgoing[name] = value
        }
        const sent = request(`http://${proxy}${path}`, {
          method,
          headers: outgoing,
          agent,
          timeout: TIMEOUT_MS,
        })
        sent.on('response', (response) => {
          response.on('error', () => resolve(0))
          response.on('end', () => resolve(response.statusCode ?? 0))
          response.resume()
        })
        sent.on('timeout', () => sent.destroy())
        sent.on('error', () => resolve(0))
        sent.end()
      }),
    close: () => agent.destroy(),
  }
}
