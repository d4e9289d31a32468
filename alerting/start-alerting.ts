import { join } from 'node:path'
import type { Registry } from 'prom-client'
import type { AlertNotice } from '../model/alert.ts'
import type { Clock } from '../runtime/clock.ts'
import { AppError, errorMessage } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Storage } from '../storage/storage.ts'
import { createAlertingMetrics } from './alerting-metrics.ts'
import type { AlertingConfig } from './config.ts'
import type { AlertmanagerConfig } from './configuration/alertmanager-config.ts'
import { loadAlertmanagerConfig } from './configuration/load-alertmanager-config.ts'
import { createDispatcher, type Dispatcher } from './create-dispatcher.ts'
import type { EvidenceProvider } from './evidence.ts'
import { mirrorNotifications } from './history/mirror-notifications.ts'
import { createNotificationHistory } from './history/notification-history.ts'
import { NOBODY_CONFIG } from './nobody-config.ts'
import type { Notifier, NotifierFactory } from './notifier.ts'
import { createDeliverer } from './outbox/create-deliverer.ts'
import { openDurableLog } from './outbox/durable-log.ts'
import type { AlertingEvent } from './state/alerting-event.ts'
import { type AlertingState, applyEvent, emptyState, snapshotEvents } from './state/alerting-state.ts'
import { expiredRecords } from './state/expired-records.ts'
import type { Intent } from './state/intent.ts'
import { prepareRestart } from './state/prepare-restart.ts'

/** What alerting is made from. */
export interface AlertingOptions {
  /** Where the history of messages is kept for queries; null: only the newest are remembered. */
  readonly storage: Storage | null
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  readonly config: AlertingConfig
  /** The log stands in `alerting/` below it. */
  readonly dataDir: string
  readonly notifiers: NotifierFactory
  /** Null: messages carry none. */
  readonly evidence: EvidenceProvider | null
  /** How users reach the API, without trailing slash. */
  readonly externalUrl: string
  /** True: nothing happens by itself; the owner calls {@link Alerting.wake}. For tests with a clock of their own. */
  readonly isDriven?: boolean
  /** 0 to 1; default: Math.random. */
  readonly random?: () => number
}

/** Alerting, at work. */
export interface Alerting {
  /** Takes what rules (or the API) say about alerts. Returns at once. */
  receive(notices: readonly AlertNotice[]): void
  /** Everything known; to be read, never changed. */
  readonly state: AlertingState
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly startedAtMs: number
  readonly storage: Storage | null
  /** Applies events; resolves when they are durable. Throws JOURNAL_UNWRITABLE when they are not: they hold until the next start. */
  record(events: readonly AlertingEvent[]): Promise<void>
  /** Does what is due. Resolves when the attempts it started have ended. */
  wake(): Promise<void>
  /** When there is something to do next, epoch milliseconds; null: never. */
  nextDueMs(): number | null
  /** Reads the configuration file again. Throws CANNOT_START, and the old one stays in force, when it is bad. */
  reload(): Promise<void>
  /** Lets deliveries under way end (five seconds at most), makes everything durable. */
  close(): Promise<void>
}

/** How long a message is tried before it is given up: long enough for a receiver that is down over night. */
const DELIVER_WITHIN_MS = 24 * 3_600_000
const CLOSE_GRACE_MS = 5_000
/** The clock may jump, and may run faster than timers: look at it at least so often. */
const LONGEST_SLEEP_MS = 500
const COMPACT_ABOVE_BYTES = 8 << 20

/**
 * Starts alerting: reads its log, brings groups and pending messages back to life, and goes on where it was.
 * Throws CANNOT_START for a bad configuration or a log that cannot be opened.
 */
export async function startAlerting(options: AlertingOptions): Promise<Alerting> {
  const { clock, logger } = options
  const random = options.random ?? Math.random
  let config = readConfig(options.config)
  let notifiers = makeNotifiers(config, options.notifiers)
  const { log, entries, damagedBytes } = await openLog(join(options.dataDir, 'alerting'))
  if (damagedBytes > 0) {
    logger.error(
      { event: 'alerting-log-damaged', bytes: damagedBytes },
      'The end of the alerting log was damaged and put aside',
    )
  }
  const state = emptyState()
  for (const entry of entries) applyEvent(state, entry as AlertingEvent)
  const startedAtMs = clock.now()
  prepareRestart(state, startedAtMs, config.resolveTimeoutMs)
  await log.replace(snapshotEvents(state))

  const metrics = createAlertingMetrics(options.registry, state, clock)
  let durable: Promise<void> = Promise.resolve()
  let snapshotBytes = log.sizeBytes()
  /** The log lacks events: it must be replaced by a snapshot as soon as it can be written. */
  let isLogBehind = false
  let isCompacting = false

  function record(events: readonly AlertingEvent[]): Promise<void> {
    for (const event of events) applyEvent(state, event)
    const written = log.append(events)
    // Telling people comes before remembering it: a log that cannot be written is said, and the message goes out.
    durable = written.catch((error: unknown) => {
      metrics.logErrors.inc()
      isLogBehind = true
      logger.error(
        { event: 'alerting-log-unwritable', reason: errorMessage(error) },
        'Changes are not durable: a crash now would forget them',
      )
    })
    return written
  }
  const recordQuietly = (events: readonly AlertingEvent[]): Promise<void> => {
    record(events).catch(() => undefined)
    return durable
  }

  const deliverer = createDeliverer({
    state,
    record: recordQuietly,
    notifierOf: (intent) =>
      notifiers.get(notifierKey(intent.notification.receiver, intent.integration)) ?? null,
    evidence: options.evidence,
    onSettled: (intent: Intent) => {
      dispatcher.settle(intent.groupId, clock.now())
      mirror?.nudge()
      schedule()
    },
    clock,
    logger,
    metrics,
    random,
    whenDurable: () => durable,
  })
  const newDispatcher = () =>
    createDispatcher(
      {
        state,
        config,
        record: (events) => void recordQuietly(events),
        deliverWithinMs: DELIVER_WITHIN_MS,
        externalUrl: options.externalUrl,
        newId: () => crypto.randomUUID(),
        isInFlight: (id) => deliverer.isInFlight(id),
      },
      clock.now(),
    )
  let dispatcher = newDispatcher()

  const mirror =
    options.storage === null
      ? null
      : mirrorNotifications(state, createNotificationHistory(options.storage), clock, logger)

  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  function nextDueMs(): number | null {
    const dues = [dispatcher.nextDueMs(), deliverer.nextDueMs()].filter((due) => due !== null)
    return dues.length === 0 ? null : Math.min(...dues)
  }

  function schedule(): void {
    if (isClosed || options.isDriven === true) return
    clearTimeout(timer)
    const due = nextDueMs() ?? Number.POSITIVE_INFINITY
    timer = setTimeout(wakeQuietly, Math.min(LONGEST_SLEEP_MS, Math.max(1, due - clock.now())))
  }

  function work(): void {
    const now = clock.now()
    dispatcher.look(now)
    const gone = expiredRecords(state, now)
    if (gone.length > 0) void recordQuietly(gone)
    deliverer.start(now)
    mirror?.nudge()
    if (isLogBehind || log.sizeBytes() > COMPACT_ABOVE_BYTES + 2 * snapshotBytes) compact()
  }

  function compact(): void {
    if (isCompacting) return
    isCompacting = true
    isLogBehind = false
    const replaced = log.replace(snapshotEvents(state)).then(
      () => {
        isCompacting = false
        snapshotBytes = log.sizeBytes()
      },
      (error: unknown) => {
        isCompacting = false
        isLogBehind = true
        logger.error({ event: 'alerting-log-not-compacted', reason: errorMessage(error) })
      },
    )
    durable = Promise.all([durable, replaced]).then(() => undefined)
  }

  function wakeQuietly(): void {
    try {
      work()
    } catch (error) {
      logger.error({ event: 'alerting-broke', err: error }, 'A look at the alerts failed')
    }
    schedule()
  }

  schedule()
  return {
    state,
    clock,
    startedAtMs,
    storage: options.storage,
    record: async (events) => {
      try {
        await record(events)
      } catch (error) {
        throw new AppError(
          'JOURNAL_UNWRITABLE',
          `Cannot keep the change over a restart: ${errorMessage(error)}`,
          { cause: error },
        )
      }
    },
    nextDueMs,
    get dispatcher() {
      return dispatcher
    },
    receive: (notices) => {
      dispatcher.receive(notices, clock.now())
      schedule()
    },
    wake: async () => {
      work()
      await deliverer.settled()
      await durable
    },
    reload: async () => {
      const nextConfig = readConfig(options.config)
      const nextNotifiers = makeNotifiers(nextConfig, options.notifiers)
      const old = notifiers
      config = nextConfig
      notifiers = nextNotifiers
      dispatcher = newDispatcher()
      schedule()
      // Attempts under way may last a minute; the configuration is in force already.
      void deliverer.currentEnded().then(() => closeAll(old))
    },
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      await deliverer.close(CLOSE_GRACE_MS)
      await durable
      if (isLogBehind) compact()
      await durable
      await log.close()
      await mirror?.close()
      await closeAll(notifiers)
    },
  }
}

function readConfig(config: AlertingConfig): AlertmanagerConfig {
  return config.configFile === null ? NOBODY_CONFIG : loadAlertmanagerConfig(config.configFile)
}

async function openLog(directory: string): ReturnType<typeof openDurableLog> {
  try {
    return await openDurableLog(directory)
  } catch (error) {
    throw new AppError(
      'CANNOT_START',
      `Cannot open the alerting log in ${directory}: ${errorMessage(error)}`,
      {
        cause: error,
      },
    )
  }
}

function notifierKey(receiver: string, integration: string): string {
  return `${receiver}\n${integration}`
}

/** Throws CANNOT_START when a template cannot be read. */
function makeNotifiers(config: AlertmanagerConfig, factory: NotifierFactory): Map<string, Notifier> {
  try {
    return notifiersOf(config, factory)
  } catch (error) {
    throw new AppError('CANNOT_START', `Cannot use the alerting configuration: ${errorMessage(error)}`, {
      cause: error,
    })
  }
}

function notifiersOf(config: AlertmanagerConfig, factory: NotifierFactory): Map<string, Notifier> {
  const context = { templates: config.templates }
  const notifiers = new Map<string, Notifier>()
  for (const { name, webhooks, emails } of config.receivers.values()) {
    for (const [index, settings] of webhooks.entries()) {
      notifiers.set(notifierKey(name, `webhook/${index}`), factory.webhook(settings, context))
    }
    for (const [index, settings] of emails.entries()) {
      notifiers.set(notifierKey(name, `email/${index}`), factory.email(settings, context))
    }
  }
  return notifiers
}

async function closeAll(notifiers: ReadonlyMap<string, Notifier>): Promise<void> {
  await Promise.allSettled([...notifiers.values()].map(async (notifier) => await notifier.close?.()))
}
