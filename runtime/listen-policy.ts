import { isIP } from 'node:net'
import { AppError } from './errors.ts'

/** One address to listen on, and what protects it. */
export interface ListenRequest {
  /** Which listener, as the configuration names it: `ingest.otlpHttp`. */
  readonly name: string
  readonly host: string
  readonly hasTokens: boolean
  readonly hasClientCertificates: boolean
  /** `http.auth.insecure`: somebody said that it is meant. */
  readonly isInsecureMeant: boolean
}

/** Throws AppError CANNOT_START when a listener would be open to the network without anybody having asked for it. */
export function assertMayListen(request: ListenRequest): void {
  if (isLoopback(request.host)) return
  if (request.hasTokens || request.hasClientCertificates || request.isInsecureMeant) return
  throw new AppError(
    'CANNOT_START',
    `Cannot listen on ${request.host} (${request.name}): that is not a loopback address, and neither http.auth.tokensFile ` +
      'nor TLS client certificates protect it; http.auth.insecure: true says that this is meant',
  )
}

/** Whether only this machine can reach the address. A name other than `localhost` counts as reachable. */
export function isLoopback(host: string): boolean {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  const address = bare.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  if (address === 'localhost') return true
  if (isIP(address) === 4) return address.startsWith('127.')
  return isIP(address) === 6 && /^(::1|(0{1,4}:){7}0{0,3}1)$/.test(address)
}
