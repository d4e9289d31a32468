import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { type DestinationPolicy, refusalOf } from './destination-policy.ts'

/** How to connect. */
export interface GuardedAgentOptions {
  readonly policy: DestinationPolicy
  readonly connectTimeoutMs: number
  /** Options of `node:tls` for https. */
  readonly tls?: Readonly<Record<string, unknown>>
  /** Default: the system's resolver. */
  readonly lookup?: typeof systemLookup
}

/** A destination that the policy does not allow. Trying again does not help. */
export class DestinationRefusedError extends Error {
  override readonly name = 'DestinationRefusedError'
  constructor(reason: string) {
    super(`Cannot connect: ${reason}`)
  }
}

/**
 * An undici agent that judges every address at the moment of connecting: the literal in the URL, each address a name
 * resolves to, and the address the socket really has. So neither a name that points inside, nor one that changes its answer
 * between check and use, nor an odd spelling of an address gets around the policy.
 */
export function createGuardedAgent(options: GuardedAgentOptions): Agent {
  const { policy } = options
  const connect = buildConnector({
    ...options.tls,
    timeout: options.connectTimeoutMs,
    lookup: guardedLookup(options.lookup ?? systemLookup, policy),
  })
  return new Agent({
    // Receivers are spoken to seldom: no connection outlives its message for long.
    keepAliveTimeout: 1000,
    connect: (target, callback) => {
      const host = target.hostname.replace(/^\[(.*)\]$/, '$1')
      const refusal = isIP(host) === 0 ? null : refusalOf(host, policy)
      if (refusal !== null) {
        callback(new DestinationRefusedError(refusal), null)
        return
      }
      connect(target, (error, socket) => {
        if (error !== null || socket === null) {
          callback(error ?? new Error('Cannot connect: no socket'), null)
          return
        }
        const reached = refusalOf(socket.remoteAddress ?? '', policy)
        if (reached === null) {
          callback(null, socket)
          return
        }
        socket.destroy()
        callback(new DestinationRefusedError(reached), null)
      })
    },
  })
}

function guardedLookup(lookup: typeof systemLookup, policy: DestinationPolicy): LookupFunction {
  return (hostname, lookupOptions, callback) => {
    lookup(hostname, { ...lookupOptions, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) {
        callback(error, '', 0)
        return
      }
      const allowed = addresses.filter(({ address }) => refusalOf(address, policy) === null)
      const [first] = allowed
      if (first === undefined) {
        const reason =
          addresses.map(({ address }) => refusalOf(address, policy)).join(', ') || 'it has no address'
        callback(new DestinationRefusedError(`${hostname}: ${reason}`), '', 0)
      } else if (lookupOptions.all === true) {
        callback(null, allowed)
      } else {
        callback(null, first.address, first.family)
      }
    })
  }
}
