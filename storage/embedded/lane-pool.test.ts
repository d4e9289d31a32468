import { describe, expect, test } from 'vitest'
import type { EngineLane } from './engine-lane.ts'
import { createLanePool } from './lane-pool.ts'

function lane(): EngineLane & { closed: boolean } {
  return {
    closed: false,
    run: () => Promise.resolve({ bytes: Buffer.alloc(0), rowsRead: null }),
    async close() {
      this.closed = true
    },
  }
}

/** Work that settles when told. */
function work(): {
  promise: Promise<string>
  resolve: (value: string) => void
  reject: (error: Error) => void
} {
  return Promise.withResolvers<string>()
}

const WAIT = { timeoutMs: 60_000 }

describe('a pool of lanes', () => {
  test('runs as many as it has lanes and the others in their order', async () => {
    const pool = createLanePool('test', [lane(), lane()], 10)
    const jobs = [work(), work(), work(), work()]
    const started: number[] = []
    const results = jobs.map((job, index) =>
      pool.run(() => {
        started.push(index)
        return job.promise
      }, WAIT),
    )
    expect(started).toEqual([0, 1])
    expect(pool.waiting).toBe(2)
    jobs[1]?.resolve('b')
    expect(await results[1]).toBe('b')
    await expect.poll(() => started).toEqual([0, 1, 2])
    jobs[0]?.reject(new Error('broken'))
    await expect(results[0]).rejects.toThrow('broken')
    await expect.poll(() => started).toEqual([0, 1, 2, 3])
    jobs[2]?.resolve('c')
    jobs[3]?.resolve('d')
    expect(await Promise.all(results.slice(2))).toEqual(['c', 'd'])
  })

  test('turns away whoever finds the queue full', async () => {
    const pool = createLanePool('test', [lane()], 1)
    const job = work()
    const running = pool.run(() => job.promise, WAIT)
    const waiting = pool.run(() => Promise.resolve('next'), WAIT)
    await expect(pool.run(() => Promise.resolve(''), WAIT)).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      retryAfterMs: 1000,
    })
    job.resolve('done')
    expect(await Promise.all([running, waiting])).toEqual(['done', 'next'])
  })

  test('lets a waiting caller go at once and never starts its work', async () => {
    const pool = createLanePool('test', [lane()], 5)
    const job = work()
    const running = pool.run(() => job.promise, WAIT)
    const controller = new AbortController()
    let isStarted = false
    const waiting = pool.run(
      async () => {
        isStarted = true
      },
      { ...WAIT, signal: controller.signal },
    )
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(pool.waiting).toBe(0)
    job.resolve('done')
    await running
    expect(await pool.run(() => Promise.resolve('after'), WAIT)).toBe('after')
    expect(isStarted).toBe(false)
  })

  test('keeps the lane of a caller that has gone until its work has settled', async () => {
    const pool = createLanePool('test', [lane()], 5)
    const job = work()
    let isAbandoned = false
    const gone = pool.run(() => job.promise, {
      timeoutMs: 1,
      onAbandoned: () => {
        isAbandoned = true
      },
    })
    await expect(gone).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
    expect(isAbandoned).toBe(true)
    let isStarted = false
    const next = pool.run(async () => {
      isStarted = true
    }, WAIT)
    expect(isStarted).toBe(false)
    job.resolve('late')
    await next
    expect(isStarted).toBe(true)
  })

  test('when closed turns the waiting away, waits for what runs and closes its lanes', async () => {
    const only = lane()
    const pool = createLanePool('test', [only], 5)
    const job = work()
    const running = pool.run(() => job.promise, WAIT)
    const waiting = pool.run(() => Promise.resolve(''), WAIT)
    const closing = pool.close()
    await expect(waiting).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await expect(pool.run(() => Promise.resolve(''), WAIT)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(only.closed).toBe(false)
    job.resolve('done')
    expect(await running).toBe('done')
    await closing
    expect(only.closed).toBe(true)
  })
})
