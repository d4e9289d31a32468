import type { AddressInfo } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { HttpConfig, TlsConfig } from '../runtime/config.ts'
import { hostPort, listenError } from '../runtime/listen-error.ts'
import { readTls, type TlsFileOptions } from '../runtime/tls.ts'

/** The files that a `tls` section names; null when it names none. */
export function tlsFiles(config: TlsConfig): TlsFileOptions | null {
  const { certFile, keyFile, clientCaFile } = config
  return certFile === null || keyFile === null ? null : { certFile, keyFile, clientCaFile }
}

/** Starts to listen. Returns the URL with the real port. Throws AppError CANNOT_START in one sentence. */
export async function listenApi(app: FastifyInstance, config: HttpConfig): Promise<string> {
  await app.ready()
  try {
    await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    throw listenError('http', config.host, config.port, error)
  }
  const { port } = app.server.address() as AddressInfo
  const scheme = tlsFiles(config.tls) === null ? 'http' : 'https'
  return `${scheme}://${hostPort(config.host, port)}`
}

/** Takes renewed certificates from their files; connections that are open keep theirs. Bad files throw and change nothing. */
export function reloadCertificates(app: FastifyInstance, config: HttpConfig): void {
  const files = tlsFiles(config.tls)
  const server: unknown = app.server
  if (files !== null && server instanceof TlsServer) server.setSecureContext(readTls(files))
}

/** Closes the server: no new connections, running requests finish within `graceMs`, then they are cut off. */
export async function closeApi(app: FastifyInstance, graceMs: number): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), graceMs)
  // Node closes the connections that are idle when closing begins, not those whose answer is sent after that.
  const sweep = setInterval(() => app.server.closeIdleConnections(), 50)
  try {
    await app.close()
  } finally {
    clearTimeout(cutOff)
    clearInterval(sweep)
  }
}
