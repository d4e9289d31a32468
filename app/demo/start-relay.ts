import { createServer } from 'node:http'
import { createServiceCaller } from './call-service.ts'
import { type LocalServer, listenLocally } from './listen-locally.ts'

/** A service whose whole work is to call the next one. */
export interface RelayOptions {
  /** For messages. */
  readonly name: string
  /** `cart:8080`: as the caller's proxy knows it. */
  readonly next: string
  /** How the next one is asked. */
  readonly method: string
  readonly path: string
  /** `host:port` of this service's outbound proxy; asked for each request, for the proxy starts later. */
  readonly proxy: () => string
}

/** Starts a service that answers 200 when the next one did, and 502 with its status when it did not. */
export async function startRelay(options: RelayOptions): Promise<LocalServer> {
  const caller = createServiceCaller()
  const { name, next, method, path } = options
  const server = createServer((request, response) => {
    request.resume()
    const call = { proxy: options.proxy(), service: next, method, path, headers: request.headers }
    void caller.call(call).then((status) => {
      response.writeHead(status === 200 ? 200 : 502, { 'content-type': 'text/plain' })
      response.end(status === 200 ? `${name}: done\n` : `${name}: ${next} answered ${status}\n`)
    })
  })
  const listening = await listenLocally(server, name, 0)
  return {
    address: listening.address,
    async close() {
      caller.close()
      await listening.close()
    },
  }
}
