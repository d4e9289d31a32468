import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Clock } from '../runtime/clock.ts'
import type { AlertingState } from './state/alerting-state.ts'
import { isFiring } from './state/stored-alert.ts'

/** The metrics about alerting. */
export interface AlertingMetrics {
  readonly attempts: Counter<'integration' | 'outcome'>
  readonly notifications: Counter<'integration' | 'state'>
  readonly latency: Histogram<'integration'>
  readonly logErrors: Counter
}

/** Registers the metrics about alerting. */
export function createAlertingMetrics(
  registry: Registry,
  state: AlertingState,
  clock: Clock,
): AlertingMetrics {
  const registers = [registry]
  new Gauge({
    name: 'meshwatch_alerting_alerts',
    help: 'Alerts that fire now.',
    registers,
    collect() {
      const now = clock.now()
      this.set([...state.alerts.values()].filter((alert) => isFiring(alert, now)).length)
    },
  })
  new Gauge({
    name: 'meshwatch_alerting_notifications_pending',
    help: 'Messages that were decided and are not delivered yet.',
    registers,
    collect() {
      this.set([...state.intents.values()].filter((intent) => intent.state === 'pending').length)
    },
  })
  new Gauge({
    name: 'meshwatch_alerting_notification_lag_seconds',
    help: 'Age of the oldest message that is not delivered yet.',
    registers,
    collect() {
      const made = [...state.intents.values()]
        .filter((intent) => intent.state === 'pending')
        .map((intent) => intent.notification.createdAtMs)
      this.set(made.length === 0 ? 0 : Math.max(0, (clock.now() - Math.min(...made)) / 1000))
    },
  })
  return {
    attempts: new Counter({
      name: 'meshwatch_alerting_attempts_total',
      help: 'Attempts to deliver a message, by how they ended.',
      labelNames: ['integration', 'outcome'],
      registers,
    }),
    notifications: new Counter({
      name: 'meshwatch_alerting_notifications_total',
      help: 'Messages that ended: delivered or failed.',
      labelNames: ['integration', 'state'],
      registers,
    }),
    latency: new Histogram({
      name: 'meshwatch_alerting_attempt_duration_seconds',
      help: 'How long an attempt to deliver took.',
      labelNames: ['integration'],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
      registers,
    }),
    logErrors: new Counter({
      name: 'meshwatch_alerting_log_errors_total',
      help: 'Changes that could not be made durable: a crash now would forget them.',
      registers,
    }),
  }
}
