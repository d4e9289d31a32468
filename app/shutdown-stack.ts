import { errorMessage } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'

/** Parts that were started, to be stopped in reverse order. */
export interface ShutdownStack {
  push(name: string, stop: () => Promise<void> | void): void
  /** Stops everything, last started first. A part that fails is logged and does not keep the others. Idempotent. */
  stopAll(): Promise<void>
}

/** Makes an empty stack. */
export function createShutdownStack(logger: Logger): ShutdownStack {
  const parts: { readonly name: string; readonly stop: () => Promise<void> | void }[] = []
  let stopping: Promise<void> | null = null
  const stopAll = async () => {
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      try {
        await part.stop()
      } catch (error) {
        logger.error({ event: 'stop-failed', part: part.name, reason: errorMessage(error) })
      }
    }
  }
  return {
    push: (name, stop) => void parts.push({ name, stop }),
    stopAll: () => {
      stopping ??= stopAll()
      return stopping
    },
  }
}
