import { AppError } from '../../runtime/errors.ts'
import type { EngineLane } from './engine-lane.ts'

/** When a caller stops waiting, and what then becomes of its work. */
export interface LaneWait {
  /** Milliseconds from the call, time in the queue included; the caller gets QUERY_TIMEOUT after that. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Called when the caller has gone while its work runs: ask the engine to stop it. */
  readonly onAbandoned?: () => void
}

/** Lanes shared by many callers, first come first served. */
export interface LanePool {
  /** How many callers wait for a lane. */
  readonly waiting: number
  /**
   * Runs `work` on a free lane. A lane is free again when its work has settled, not when its caller has gone.
   * Throws TOO_MANY_REQUESTS (the queue is full), QUERY_TIMEOUT, CANCELLED, SHUTTING_DOWN.
   */
  run<T>(work: (lane: EngineLane) => Promise<T>, wait: LaneWait): Promise<T>
  /** Turns waiting callers away, waits for what runs, closes the lanes. */
  close(): Promise<void>
}

/** Makes a pool of the given lanes in whose queue at most `maxWaiting` callers stand. */
export function createLanePool(name: string, lanes: readonly EngineLane[], maxWaiting: number): LanePool {
  const free = [...lanes]
  const queue: { take: (lane: EngineLane) => void; turnAway: (error: AppError) => void }[] = []
  const running = new Set<Promise<unknown>>()
  let isClosed = false

  const release = (lane: EngineLane) => {
    const next = queue.shift()
    if (next === undefined) free.push(lane)
    else next.take(lane)
  }

  const start = <T>(lane: EngineLane, work: (lane: EngineLane) => Promise<T>): Promise<T> => {
    const result = work(lane)
    const settled: Promise<unknown> = result
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        running.delete(settled)
        release(lane)
      })
    running.add(settled)
    return result
  }

  return {
    get waiting() {
      return queue.length
    },
    run(work, wait) {
      if (isClosed)
        return Promise.reject(new AppError('SHUTTING_DOWN', `Cannot use the ${name} lane: closing`))
      if (wait.signal?.aborted) return Promise.reject(cancelled())
      return new Promise((resolve, reject) => {
        let isStarted = false
        const take = (lane: EngineLane) => {
          isStarted = true
          start(lane, work).then(
            (value) => leave(() => resolve(value)),
            (error: unknown) => leave(() => reject(error)),
          )
        }
        const place = { take, turnAway: (error: AppError) => leave(() => reject(error)) }
        const leave = (settle: () => void) => {
          clearTimeout(timer)
          wait.signal?.removeEventListener('abort', onAbort)
          settle()
        }
        const giveUp = (error: AppError) => {
          const position = queue.indexOf(place)
          if (position >= 0) queue.splice(position, 1)
          if (isStarted) wait.onAbandoned?.()
          leave(() => reject(error))
        }
        const onAbort = () => giveUp(cancelled())
        const timer = setTimeout(
          () => giveUp(new AppError('QUERY_TIMEOUT', `Cannot answer: no result within ${wait.timeoutMs} ms`)),
          wait.timeoutMs,
        )
        wait.signal?.addEventListener('abort', onAbort, { once: true })

        const lane = free.pop()
        if (lane !== undefined) take(lane)
        else if (queue.length < maxWaiting) queue.push(place)
        else {
          const full = `Cannot queue another statement: ${queue.length} wait for a ${name} lane already`
          place.turnAway(new AppError('TOO_MANY_REQUESTS', full, { retryAfterMs: 1000 }))
        }
      })
    },
    async close() {
      isClosed = true
      for (const place of queue.splice(0)) {
        place.turnAway(new AppError('SHUTTING_DOWN', `Cannot use the ${name} lane: closing`))
      }
      while (running.size > 0) await Promise.allSettled([...running])
      await Promise.all(lanes.map((lane) => lane.close()))
    },
  }
}

function cancelled(): AppError {
  return new AppError('CANCELLED', 'Cannot answer: the caller has gone')
}
