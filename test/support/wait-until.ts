import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../runtime/clock.ts'

/**
 * Waits until `claim` holds; what it throws counts as not yet. Throws when it does not hold within `timeoutMs`
 * milliseconds, with what was thrown last.
 */
export async function waitUntil(
  what: string,
  claim: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = systemClock.monotonic() + timeoutMs
  let last: unknown
  do {
    try {
      if (await claim()) return
      last = undefined
    } catch (error) {
      last = error
    }
    await delay(10)
  } while (systemClock.monotonic() < deadline)
  throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`, { cause: last })
}
