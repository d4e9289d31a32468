import type { Clock } from '../../runtime/clock.ts'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { AlertingState } from '../state/alerting-state.ts'
import type { NotificationHistory } from './notification-history.ts'

/** Copies messages that have ended to ClickHouse, in the background. */
export interface NotificationMirror {
  /** Looks for messages that ended and are not copied yet, and copies them. Returns at once. */
  nudge(): void
  /** Copies what is left, once. */
  close(): Promise<void>
}

/** After a failure nothing is tried for so long: ClickHouse may be away. */
const PAUSE_MS = 10_000

/** The log is the truth: a copy that fails is made later, and after a restart all that is remembered is copied again. */
export function mirrorNotifications(
  state: AlertingState,
  history: NotificationHistory,
  clock: Clock,
  logger: Logger,
): NotificationMirror {
  const copied = new Set<string>()
  let running: Promise<void> | null = null
  let isBehind = false
  let pausedUntilMs = Number.NEGATIVE_INFINITY

  async function copyAll(): Promise<void> {
    do {
      isBehind = false
      await copy()
    } while (isBehind && clock.monotonic() >= pausedUntilMs)
  }

  async function copy(): Promise<void> {
    for (const id of copied) if (!state.intents.has(id)) copied.delete(id)
    for (const intent of [...state.intents.values()]) {
      if (intent.state === 'pending' || copied.has(intent.id)) continue
      try {
        await history.save(intent, clock.now())
        copied.add(intent.id)
      } catch (error) {
        if (error instanceof AppError && !error.isRetryable) {
          // One message that ClickHouse will never take must not hold the others.
          copied.add(intent.id)
          logger.error(
            { event: 'notification-not-in-history', id: intent.id, reason: error.message },
            'A message cannot be written to the history',
          )
          continue
        }
        pausedUntilMs = clock.monotonic() + PAUSE_MS
        logger.warn(
          { event: 'notification-history-behind', reason: errorMessage(error) },
          'The history of messages cannot be written to ClickHouse; it is tried again',
        )
        return
      }
    }
  }

  return {
    nudge: () => {
      isBehind = true
      if (running !== null || clock.monotonic() < pausedUntilMs) return
      running = copyAll().finally(() => {
        running = null
      })
    },
    close: async () => {
      await running
      if (clock.monotonic() >= pausedUntilMs) await copy()
    },
  }
}
