import { describe, expect, test } from 'vitest'
import { admitOnConnection, admitStream, breakerGauges, type ClusterLoad } from './circuit-breaker.ts'

const LIMITS = { maxConnections: 2, maxPendingRequests: 1, maxRequests: 3 }
const IDLE: ClusterLoad = { connections: 0, pendingRequests: 0, activeRequests: 0, activeRetries: 0 }

describe('admitStream', () => {
  test.each([
    ['a new pool opens a connection', {}, { hasIdleConnection: false, connections: 0 }, 'open-connection'],
    [
      'an idle connection is used',
      { connections: 1 },
      { hasIdleConnection: true, connections: 1 },
      'use-connection',
    ],
    [
      'busy ones are joined by another',
      { connections: 1, activeRequests: 1 },
      { hasIdleConnection: false, connections: 1 },
      'open-connection',
    ],
    [
      'at max_connections it waits',
      { connections: 2, activeRequests: 2 },
      { hasIdleConnection: false, connections: 1 },
      'queue',
    ],
    [
      'at max_connections a pool that has none may open one',
      { connections: 2 },
      { hasIdleConnection: false, connections: 0 },
      'open-connection',
    ],
  ])('%s', (_, load, pool, kind) => {
    expect(admitStream({ ...IDLE, ...load }, LIMITS, pool)).toEqual({ kind })
  })

  test('a full queue overflows, also where a connection could still be opened', () => {
    const load = { ...IDLE, connections: 1, pendingRequests: 1 }
    expect(admitStream(load, LIMITS, { hasIdleConnection: false, connections: 1 })).toEqual({
      kind: 'overflow',
      breaker: 'pending',
    })
    // An idle connection does not need the queue.
    expect(admitStream(load, LIMITS, { hasIdleConnection: true, connections: 1 }).kind).toBe('use-connection')
  })

  test('max_requests overflows on an idle connection, for HTTP/1.1 too', () => {
    const load = { ...IDLE, connections: 2, activeRequests: 3 }
    expect(admitStream(load, LIMITS, { hasIdleConnection: true, connections: 2 })).toEqual({
      kind: 'overflow',
      breaker: 'requests',
    })
  })

  test('a pending request meets max_requests when it gets its connection', () => {
    expect(admitOnConnection({ activeRequests: 2 }, LIMITS)).toBe(true)
    expect(admitOnConnection({ activeRequests: 3 }, LIMITS)).toBe(false)
  })
})

test('a gauge is open exactly where nothing more is admitted', () => {
  const load = { connections: 2, pendingRequests: 0, activeRequests: 3, activeRetries: 3 }
  expect(breakerGauges(load, LIMITS, 3)).toEqual({
    isConnectionsOpen: true,
    isPendingOpen: false,
    isRequestsOpen: true,
    isRetriesOpen: true,
  })
  expect(breakerGauges({ ...load, activeRetries: 2 }, LIMITS, 3).isRetriesOpen).toBe(false)
})
