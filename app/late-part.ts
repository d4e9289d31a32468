import { AppError } from '../runtime/errors.ts'

/** A part that others may refer to before it runs. */
export interface LatePart<Part extends object> {
  /** Stands for the part. Before it runs, whoever touches it gets AppError STORAGE_UNAVAILABLE. */
  readonly part: Part
  readonly isStarted: () => boolean
  start(part: Part): void
}

/** Routes must be known before the server listens, and some of their parts need the address at which it does. */
export function createLatePart<Part extends object>(name: string): LatePart<Part> {
  let started: Part | null = null
  return {
    part: new Proxy({} as Part, {
      get(_, key) {
        if (started === null) {
          throw new AppError('STORAGE_UNAVAILABLE', `Cannot answer yet: ${name} is starting`, {
            retryAfterMs: 1000,
          })
        }
        return Reflect.get(started, key)
      },
    }),
    isStarted: () => started !== null,
    start: (part) => {
      started = part
    },
  }
}
