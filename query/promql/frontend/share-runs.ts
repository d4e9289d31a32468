import { AppError } from '../../../runtime/errors.ts'

/** Runs equal work once for all who ask for it at the same time. */
export interface SharedRuns<T> {
  /**
   * What `work` gives. When others ask for the same `key` meanwhile, they get the same. The work's signal fires when the last of them has
   * gone. Throws CANCELLED when `signal` fires.
   */
  run(key: string, signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T>
}

/** One run of a query. */
export interface Turn {
  /** Fires when nobody waits for it any more. */
  readonly signal: AbortSignal
  /** Call when it no longer waits for others. */
  begin(): void
}

interface Run<T> {
  readonly result: Promise<T>
  readonly stop: () => void
  waiting: number
  place: 'query queue' | 'expression evaluation'
}

/** Makes it, empty. */
export function createSharedRuns<T>(): SharedRuns<T> {
  const runs = new Map<string, Run<T>>()

  const start = (key: string, work: (turn: Turn) => Promise<T>): Run<T> => {
    const controller = new AbortController()
    const begin = () => {
      run.place = 'expression evaluation'
    }
    const run: Run<T> = {
      // In a turn of its own, so that the run is there before it begins.
      result: Promise.resolve()
        .then(() => work({ signal: controller.signal, begin }))
        .finally(() => {
          if (runs.get(key) === run) runs.delete(key)
        }),
      place: 'query queue',
      stop: () => {
        // Whoever comes now would only get the end of a run that is given up.
        if (runs.get(key) === run) runs.delete(key)
        controller.abort()
      },
      waiting: 0,
    }
    runs.set(key, run)
    return run
  }

  return {
    run(key, signal, work) {
      if (signal.aborted) return Promise.reject(gone('query queue'))
      const run = runs.get(key) ?? start(key, work)
      run.waiting += 1
      return new Promise((resolve, reject) => {
        const leave = () => {
          run.waiting -= 1
          if (run.waiting === 0) run.stop()
          reject(gone(run.place))
        }
        signal.addEventListener('abort', leave, { once: true })
        const settle = (end: () => void) => {
          signal.removeEventListener('abort', leave)
          end()
        }
        run.result.then(
          (value) => settle(() => resolve(value)),
          (error: unknown) => settle(() => reject(error)),
        )
      })
    },
  }
}

function gone(place: string): AppError {
  return new AppError('CANCELLED', `query was canceled in ${place}`)
}
