import { AppError } from '../../../runtime/errors.ts'

/** Lets a bounded number of evaluations run at the same time, first come first served. */
export interface RunQueue {
  /** Runs `work` when it is its turn. Throws CANCELLED when `signal` fires before that, TOO_MANY_REQUESTS when too many wait already. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
  /** How many wait. */
  readonly waiting: number
}

/** Makes a queue for `concurrency` evaluations at a time, in which at most `maxWaiting` wait. */
export function createRunQueue(concurrency: number, maxWaiting: number): RunQueue {
  let running = 0
  const queue: (() => void)[] = []

  const enter = (signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return Promise.reject(gone())
    if (running < concurrency) {
      running += 1
      return Promise.resolve()
    }
    if (queue.length >= maxWaiting) {
      return Promise.reject(
        new AppError('TOO_MANY_REQUESTS', `Cannot queue another query: ${queue.length} wait already`, {
          retryAfterMs: 1000,
        }),
      )
    }
    return new Promise((resolve, reject) => {
      const take = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        queue.splice(queue.indexOf(take), 1)
        reject(gone())
      }
      queue.push(take)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  return {
    async run(work, signal) {
      await enter(signal)
      try {
        return await work()
      } finally {
        const next = queue.shift()
        if (next === undefined) running -= 1
        else next()
      }
    },
    get waiting() {
      return queue.length
    },
  }
}

function gone(): AppError {
  return new AppError('CANCELLED', 'query was canceled in query queue')
}
