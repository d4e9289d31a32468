/** Milliseconds between two looks. */
const PERIOD_MS = 5_000

/** Gives memory back that the engine holds without need. */
export interface MemoryRelease {
  /** To be told of every statement. */
  used(): void
  stop(): void
}

/**
 * The engine keeps the memory of statements that have ended, for the next ones; here others want it, too: after statements it is given back to the
 * operating system, at most every five seconds. `purge` does so; that it fails is no harm.
 */
export function startMemoryRelease(purge: () => Promise<unknown>): MemoryRelease {
  let isUsed = false
  const timer = setInterval(() => {
    if (!isUsed) return
    isUsed = false
    purge().catch(() => undefined)
  }, PERIOD_MS)
  timer.unref()
  return {
    used() {
      isUsed = true
    },
    stop: () => clearInterval(timer),
  }
}
