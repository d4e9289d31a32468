import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A service behind a proxy, played by a real server. */
export interface Upstream {
  /** `127.0.0.1:9001`. */
  readonly address: string
  /** Requests whose head arrived. */
  readonly requests: IncomingMessage[]
  /** What it does with a request from now on. */
  handle: (request: IncomingMessage, response: ServerResponse) => void
  readonly server: Server
  close(): Promise<void>
}

/** Answers with a status and a text. */
export function answering(status: number, text = '', headers: Record<string, string> = {}) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    request.resume()
    response.writeHead(status, headers).end(text)
  }
}

/** Reads and never answers. */
export function stalling(request: IncomingMessage): void {
  request.resume()
}

/** Cuts the connection without an answer. */
export function resetting(request: IncomingMessage): void {
  request.socket.destroy()
}

/** Starts a server that answers 200 with its own address until told otherwise. */
export async function startUpstream(handle?: Upstream['handle']): Promise<Upstream> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    upstream.handle(request, response)
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const upstream: Upstream = {
    address,
    requests,
    handle: handle ?? answering(200, address),
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return upstream
}
