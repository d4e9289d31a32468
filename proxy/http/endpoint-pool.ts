import type { Socket } from 'node:net'
import { Client } from 'undici'
import type { Clock } from '../../runtime/clock.ts'
import type { ConnectionPoolPolicy } from '../policy/proxy-policy.ts'
import { admitOnConnection, admitStream } from '../resilience/circuit-breaker.ts'
import { type ConnectFailure, connectUpstream, type UpstreamTarget } from './connect-upstream.ts'
import type { PoolStats } from './pool-stats.ts'

/** What a cluster has in use; all pools of the cluster count here. */
export interface MutableLoad {
  connections: number
  pendingRequests: number
  activeRequests: number
  activeRetries: number
}

/** One HTTP/1.1 connection that a request holds alone until it calls `release`. */
export interface UpstreamConnection {
  readonly client: Client
  /** Whether this is the last request of the connection: it asks for its end. */
  readonly isLast: boolean
  /** Gives the connection back; it is kept if it still stands. */
  release(): void
  /** Ends the connection under the request. */
  destroy(): void
}

/** A request that wants a connection: one of its functions is called once, perhaps before `acquire` returns. */
export interface StreamWaiter {
  readonly onConnection: (connection: UpstreamConnection) => void
  readonly onFailure: (failure: ConnectFailure | OverflowFailure) => void
}

/** Our own breaker refused. */
export interface OverflowFailure {
  readonly reason: 'overflow'
  readonly breaker: 'requests' | 'pending'
}

/** The connections to one endpoint. */
export interface EndpointPool {
  /** Asks for a connection; the returned function takes the wish back. */
  acquire(waiter: StreamWaiter): () => void
  /** Ends idle connections now and the others after their request; what waits is still served. */
  drain(): void
}

/** What a pool needs of its cluster. */
export interface EndpointPoolOptions {
  readonly target: UpstreamTarget
  /** Read at every decision, so that a reload counts at once. */
  readonly limits: () => ConnectionPoolPolicy
  readonly load: MutableLoad
  readonly stats: PoolStats
  readonly clock: Clock
}

/** The longest time that timers can count. */
const MAX_TIMER_MS = 2 ** 31 - 1
/** What upstream response heads may be long. */
const MAX_HEAD_BYTES = 64 * 1024

interface Entry {
  readonly client: Client
  readonly socket: Socket
  readonly openedMs: number
  requests: number
  isBusy: boolean
}

/**
 * Makes the pool of one endpoint. Each connection is an undici client that is given one request at a time, so that the
 * breakers, the queue and the moment of connecting are ours, as Envoy's connection pool has them.
 */
export function createEndpointPool(options: EndpointPoolOptions): EndpointPool {
  const { target, limits, load, stats, clock } = options
  const origin = `${target.tls === null ? 'http' : 'https'}://${target.address}`
  const entries = new Set<Entry>()
  const idle: Entry[] = []
  const pending: StreamWaiter[] = []
  let connecting = 0
  let isDraining = false

  function openConnection(): void {
    connecting += 1
    load.connections += 1
    stats.connectionOpened()
    const startedMs = clock.monotonic()
    connectUpstream(
      target,
      limits(),
      (socket) => {
        connecting -= 1
        stats.connected(clock.monotonic() - startedMs)
        addConnection(socket)
      },
      (failure) => {
        connecting -= 1
        load.connections -= 1
        stats.connectFailed(failure.reason)
        // As Envoy does: whoever waits for this endpoint shall decide anew instead of waiting for the next failure.
        const waiters = pending.splice(0)
        load.pendingRequests -= waiters.length
        for (const waiter of waiters) waiter.onFailure(failure)
      },
    )
  }

  function addConnection(socket: Socket): void {
    const { idleTimeoutMs } = limits()
    const longestIdleMs = idleTimeoutMs === 0 ? MAX_TIMER_MS : Math.min(idleTimeoutMs, MAX_TIMER_MS)
    const client = new Client(origin, {
      // Not at once: undici looks for requests to send only after the step in which it asked.
      connect: (_target, callback) => queueMicrotask(() => callback(null, socket)),
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEAD_BYTES,
      keepAliveTimeout: longestIdleMs,
      // A server may say less, never more.
      keepAliveMaxTimeout: longestIdleMs,
    })
    const entry: Entry = { client, socket, openedMs: clock.monotonic(), requests: 0, isBusy: false }
    entries.add(entry)
    socket.once('close', () => removeConnection(entry))
    if (!serveNext(entry)) park(entry)
  }

  function removeConnection(entry: Entry): void {
    if (!entries.delete(entry)) return
    load.connections -= 1
    stats.connectionClosed(entry.isBusy)
    const at = idle.indexOf(entry)
    if (at !== -1) idle.splice(at, 1)
    void entry.client.destroy().catch(() => {})
    const isRoom = load.connections < limits().maxConnections || entries.size + connecting === 0
    if (pending.length > connecting && isRoom) openConnection()
  }

  /** Gives the connection to the request that has waited longest. False: nobody waits. */
  function serveNext(entry: Entry): boolean {
    for (;;) {
      const waiter = pending.shift()
      if (waiter === undefined) return false
      load.pendingRequests -= 1
      if (admitOnConnection(load, limits())) {
        serve(entry, waiter)
        return true
      }
      waiter.onFailure({ reason: 'overflow', breaker: 'requests' })
    }
  }

  function serve(entry: Entry, waiter: StreamWaiter): void {
    entry.requests += 1
    entry.isBusy = true
    load.activeRequests += 1
    let isHeld = true
    const letGo = (): boolean => {
      if (!isHeld) return false
      isHeld = false
      load.activeRequests -= 1
      return true
    }
    waiter.onConnection({
      client: entry.client,
      isLast: isExhausted(entry),
      release: () => {
        // undici ends a connection that cannot be kept just after it has reported the response's end.
        if (letGo()) queueMicrotask(() => reuse(entry))
      },
      destroy: () => {
        if (!letGo()) return
        entry.socket.destroy()
        void entry.client.destroy().catch(() => {})
      },
    })
  }

  function reuse(entry: Entry): void {
    entry.isBusy = false
    if (!isUsable(entry)) entry.socket.destroy()
    else if (!serveNext(entry)) park(entry)
  }

  function park(entry: Entry): void {
    if (isDraining) entry.socket.destroy()
    else idle.push(entry)
  }

  function isExhausted(entry: Entry): boolean {
    const { maxRequestsPerConnection: most } = limits()
    return most > 0 && entry.requests >= most
  }

  function isUsable(entry: Entry): boolean {
    const { maxConnectionDurationMs: longest } = limits()
    const isTooOld = longest > 0 && clock.monotonic() - entry.openedMs >= longest
    return !entry.socket.destroyed && !isExhausted(entry) && !isTooOld
  }

  /** The connection used last: the others may then grow idle enough to be closed. */
  function takeIdle(): Entry | null {
    for (;;) {
      const entry = idle.pop()
      if (entry === undefined) return null
      if (isUsable(entry)) return entry
      entry.socket.destroy()
    }
  }

  return {
    acquire(waiter) {
      const ready = takeIdle()
      const admission = admitStream(load, limits(), {
        hasIdleConnection: ready !== null,
        connections: entries.size + connecting,
      })
      if (admission.kind === 'overflow') {
        if (ready !== null) park(ready)
        waiter.onFailure({ reason: 'overflow', breaker: admission.breaker })
        return () => {}
      }
      if (ready !== null) {
        serve(ready, waiter)
        return () => {}
      }
      pending.push(waiter)
      load.pendingRequests += 1
      stats.pended()
      if (admission.kind === 'open-connection') openConnection()
      else stats.connectionOverflowed()
      return () => {
        const at = pending.indexOf(waiter)
        if (at === -1) return
        pending.splice(at, 1)
        load.pendingRequests -= 1
      }
    },
    drain() {
      isDraining = true
      for (const entry of idle.splice(0)) entry.socket.destroy()
    },
  }
}
