import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from 'node:tls'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { ConnectionPoolPolicy, UpstreamTlsPolicy } from '../policy/proxy-policy.ts'

/** Why no connection came about. `detail` is the system's word for it: `Connection refused`. */
export interface ConnectFailure {
  readonly reason: 'connect-failure' | 'connect-timeout'
  readonly detail: string
}

/** How to reach an endpoint. */
export interface UpstreamTarget {
  /** `127.0.0.1:9001`, `[::1]:9001`. */
  readonly address: string
  readonly tls: ConnectionOptions | null
}

/** Host and port of an endpoint's address. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}

/**
 * Reads the files that a TLS policy names. `host` is the service's, sent as SNI where the policy names none. Throws AppError
 * CANNOT_START when a file cannot be read.
 */
export function tlsOptions(policy: UpstreamTlsPolicy, host: string): ConnectionOptions {
  const servername = policy.sni === '' ? host : policy.sni
  const read = (file: string | null): Buffer | undefined => {
    if (file === null) return undefined
    try {
      return readFileSync(file)
    } catch (error) {
      throw new AppError('CANNOT_START', `Cannot set up TLS to ${host}: ${errorMessage(error)}`, {
        cause: error,
      })
    }
  }
  return {
    ...(isIP(servername) === 0 ? { servername } : {}),
    ca: read(policy.caFile),
    cert: read(policy.certFile),
    key: read(policy.keyFile),
    rejectUnauthorized: policy.verifies,
    ALPNProtocols: ['http/1.1'],
    checkServerIdentity: (name, certificate) => {
      const names = policy.subjectAltNames.length === 0 ? [name] : policy.subjectAltNames
      const problems = names.map((candidate) => checkServerIdentity(candidate, certificate))
      return problems.includes(undefined) ? undefined : problems[0]
    },
  }
}

/**
 * Opens a connection; one of the callbacks is called once, never before this returns. The returned function gives up
 * without calling any.
 */
export function connectUpstream(
  target: UpstreamTarget,
  pool: Pick<ConnectionPoolPolicy, 'connectTimeoutMs' | 'keepAlive'>,
  onConnected: (socket: Socket) => void,
  onFailed: (failure: ConnectFailure) => void,
): () => void {
  const { host, port } = splitAddress(target.address)
  const keepAlive =
    pool.keepAlive === null ? {} : { keepAlive: true, keepAliveInitialDelay: pool.keepAlive.timeMs }
  const base = { host, port, noDelay: true, ...keepAlive }
  const socket = target.tls === null ? connectTcp(base) : connectTls({ ...base, ...target.tls })
  const limit = pool.connectTimeoutMs
  const timer = limit === 0 ? null : setTimeout(() => fail('connect-timeout', 'Connection timed out'), limit)
  let isSettled = false

  function settle(): boolean {
    if (isSettled) return false
    isSettled = true
    if (timer !== null) clearTimeout(timer)
    return true
  }

  function fail(reason: ConnectFailure['reason'], detail: string): void {
    if (!settle()) return
    socket.destroy()
    onFailed({ reason, detail })
  }

  socket.once(target.tls === null ? 'connect' : 'secureConnect', () => {
    if (settle()) onConnected(socket)
  })
  // Stays for the life of the socket: an error that nobody hears ends the process.
  socket.on('error', (error: NodeJS.ErrnoException) => fail('connect-failure', describe(error)))
  socket.once('close', () => fail('connect-failure', 'Connection closed'))
  return () => {
    if (settle()) socket.destroy()
  }
}

const KNOWN_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ENOTFOUND: 'Name does not resolve',
  ETIMEDOUT: 'Connection timed out',
  EMFILE: 'Too many open files',
}

function describe(error: NodeJS.ErrnoException): string {
  return KNOWN_ERRORS[error.code ?? ''] ?? error.message
}
