import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../../runtime/clock.ts'
import { AppError } from '../../../runtime/errors.ts'

/** A query may compute so long before others of the same thread have their turn, milliseconds. */
const TURN_MS = 20

/**
 * Makes the function that a long computation calls between its pieces: it gives way to others when its turn is over, and throws CANCELLED
 * when nobody waits for the answer. Undefined: the turn is not over, and there is nothing to wait for.
 */
export function createTurns(clock: Clock, signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let endsAt = clock.monotonic() + TURN_MS
  const rest = async () => {
    await setImmediate()
    if (signal?.aborted === true) {
      throw new AppError('CANCELLED', 'Cannot finish the query: nobody waits for its answer')
    }
    endsAt = clock.monotonic() + TURN_MS
  }
  return () => (clock.monotonic() < endsAt ? undefined : rest())
}
