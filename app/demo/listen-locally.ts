import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listenError } from '../../runtime/listen-error.ts'

/** A server of the demo that listens. */
export interface LocalServer {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** Stops at once, connections included. */
  close(): Promise<void>
}

/** Lets a server listen on 127.0.0.1. `name` is for the error: AppError CANNOT_START in one sentence. */
export async function listenLocally(server: Server, name: string, port: number): Promise<LocalServer> {
  const host = '127.0.0.1'
  try {
    server.listen({ host, port })
    await once(server, 'listening')
  } catch (error) {
    throw listenError(name, host, port, error)
  }
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
