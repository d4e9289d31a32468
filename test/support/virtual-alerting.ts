import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { EvidenceProvider } from '../../alerting/evidence.ts'
import type {
  AttemptContext,
  DeliveryOutcome,
  Notification,
  Notifier,
  NotifierFactory,
} from '../../alerting/notifier.ts'
import { type Alerting, startAlerting } from '../../alerting/start-alerting.ts'
import type { AlertNotice } from '../../model/alert.ts'
import { labelsFrom, labelValue } from '../../model/labels.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Storage } from '../../storage/storage.ts'

/** One attempt that a receiver saw. Times in seconds since the story began. */
export interface SeenAttempt {
  readonly atS: number
  readonly receiver: string
  readonly integration: 'webhook' | 'email'
  readonly notification: Notification
  readonly attempt: AttemptContext
  readonly outcome: DeliveryOutcome['outcome']
}

/** Alerting in a world whose clock is turned by the test. */
export interface VirtualAlerting {
  readonly alerting: Alerting
  readonly attempts: SeenAttempt[]
  /** What receivers answer from now on; default: delivered. */
  answer: (notification: Notification, attempt: AttemptContext) => DeliveryOutcome | Promise<DeliveryOutcome>
  /** What one kind of integration answers instead; null: as {@link VirtualAlerting.answer} says. */
  answerTo: (integration: 'webhook' | 'email') => DeliveryOutcome | null
  /** Seconds since the story began. */
  nowS(): number
  /** Turns the clock to then, stopping wherever there is something to do. */
  advanceTo(seconds: number): Promise<void>
  /** Turns the clock to then and does what is due, without waiting for attempts to end. */
  turnTo(seconds: number): void
  /** An alert that fires: believed for an hour without news. */
  fire(labels: Readonly<Record<string, string>>, options?: NoticeOptions): void
  resolve(labels: Readonly<Record<string, string>>, options?: NoticeOptions): void
  /** Writes another configuration file and loads it. */
  reload(configText: string): Promise<void>
  /** Closes and starts again on the same directory; `isKilled`: nothing is closed. */
  restart(): Promise<void>
  /** Delivered messages: `30 oncall firing first notification A(firing) B(resolved)`. */
  told(): string[]
  close(): Promise<void>
}

/** What a notice may say beside its labels. */
export interface NoticeOptions {
  readonly tenant?: string
  readonly startsAtS?: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly believedForS?: number
}

/** The story begins here. */
export const STORY_START_MS = Date.UTC(2026, 10, 20, 3, 0, 0)

/** What may be different from the usual. */
export interface VirtualOptions {
  readonly storage?: Storage
  readonly evidence?: EvidenceProvider
  /** Where the data directory is made; default: the system's folder for temporary files. */
  readonly parentDir?: string
  /** A real one: nothing is virtual then but the receivers. */
  readonly clock?: Clock
}

/** Starts alerting with a configuration's text. */
export async function openVirtualAlerting(
  configText: string,
  options: VirtualOptions = {},
): Promise<VirtualAlerting> {
  const dataDir = mkdtempSync(join(options.parentDir ?? tmpdir(), 'meshwatch-alerting-'))
  const configFile = join(dataDir, 'alertmanager.yml')
  writeFileSync(configFile, configText)
  let nowMs = STORY_START_MS
  const clock = options.clock ?? { now: () => nowMs, monotonic: () => nowMs - STORY_START_MS }
  const attempts: SeenAttempt[] = []
  const begun = new Map<string, number>()

  const notifier = (integration: 'webhook' | 'email'): Notifier => ({
    integration,
    notify: async (notification, attempt) => {
      const atS = (nowMs - STORY_START_MS) / 1000
      const outcome = world.answerTo(integration) ?? (await world.answer(notification, attempt))
      attempts.push({
        atS,
        receiver: notification.receiver,
        integration,
        notification,
        attempt,
        outcome: outcome.outcome,
      })
      return outcome
    },
  })
  const notifiers: NotifierFactory = { webhook: () => notifier('webhook'), email: () => notifier('email') }
  const start = () =>
    startAlerting({
      storage: options.storage ?? null,
      clock,
      logger: pino({ level: 'silent' }),
      registry: new Registry(),
      config: { configFile } as Parameters<typeof startAlerting>[0]['config'],
      dataDir,
      notifiers,
      evidence: options.evidence ?? null,
      externalUrl: 'http://meshwatch.test',
      isDriven: true,
      random: () => 0.5,
    })
  let alerting = await start()

  const notice = (
    labels: Readonly<Record<string, string>>,
    given: NoticeOptions,
    isResolved: boolean,
  ): AlertNotice => {
    const tenant = given.tenant ?? 'default'
    const key = `${tenant}${JSON.stringify(labels)}`
    const startsAtMs =
      given.startsAtS === undefined ? (begun.get(key) ?? nowMs) : STORY_START_MS + given.startsAtS * 1000
    if (isResolved) begun.delete(key)
    else begun.set(key, startsAtMs)
    return {
      tenant,
      labels: labelsFrom(Object.entries(labels)),
      annotations: labelsFrom(Object.entries(given.annotations ?? {})),
      startsAtMs,
      endsAtMs: isResolved ? nowMs : nowMs + (given.believedForS ?? 360_000) * 1000,
      isResolved,
      generatorUrl: 'http://meshwatch.test/graph',
      value: null,
      rule: null,
    }
  }

  const world: VirtualAlerting = {
    get alerting() {
      return alerting
    },
    attempts,
    answer: () => ({ outcome: 'delivered', receipt: { response: '200 OK' } }),
    answerTo: () => null,
    nowS: () => (nowMs - STORY_START_MS) / 1000,
    advanceTo: async (seconds) => {
      const end = STORY_START_MS + seconds * 1000
      for (;;) {
        await alerting.wake()
        const due = alerting.nextDueMs()
        if (due === null || due > end) break
        nowMs = Math.max(nowMs, due)
      }
      nowMs = end
    },
    turnTo: (seconds) => {
      nowMs = STORY_START_MS + seconds * 1000
      void alerting.wake()
    },
    fire: (labels, given = {}) => alerting.receive([notice(labels, given, false)]),
    resolve: (labels, given = {}) => alerting.receive([notice(labels, given, true)]),
    reload: async (text) => {
      writeFileSync(configFile, text)
      await alerting.reload()
    },
    restart: async () => {
      await alerting.close()
      alerting = await start()
    },
    told: () =>
      attempts
        .filter((attempt) => attempt.outcome === 'delivered')
        .map(({ atS, receiver, notification }) => {
          const alerts = notification.alerts.map(
            (alert) => `${labelValue(alert.labels, 'alertname')}(${alert.status})`,
          )
          const late = notification.isLate ? ' late' : ''
          return `${atS} ${receiver} ${notification.status} ${notification.reason}${late}: ${alerts.join(' ')}`
        }),
    close: async () => {
      await alerting.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
  return world
}
