import type { Clock } from '../runtime/clock.ts'

/** The signals of this process, from now on. */
export interface Signals {
  /** Resolves with the first signal that asks to stop. */
  readonly stop: Promise<string>
  /** What SIGHUP does; until set it does nothing. */
  onReload(reload: () => void): void
}

/**
 * Takes over SIGTERM, SIGINT and SIGHUP. `onSecond` is called for a signal after the first.
 * The same signal again within 100 ms is the same wish: Ctrl-C under `npm start` arrives twice, from the terminal and from npm.
 */
export function watchSignals(options: {
  readonly clock: Clock
  readonly onSecond: (signal: string) => void
}): Signals {
  const stop = Promise.withResolvers<string>()
  let first: { readonly signal: string; readonly at: number } | null = null
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      const at = options.clock.monotonic()
      if (first === null) {
        first = { signal, at }
        stop.resolve(signal)
      } else if (first.signal !== signal || at - first.at > SAME_WISH_MS) {
        options.onSecond(signal)
      }
    })
  }
  let reload: (() => void) | null = null
  // Without a listener the signal would end the process, also before there is anything to reload.
  process.on('SIGHUP', () => reload?.())
  return {
    stop: stop.promise,
    onReload: (next) => {
      reload = next
    },
  }
}

const SAME_WISH_MS = 100
