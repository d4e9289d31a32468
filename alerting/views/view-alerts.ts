import { type AlertMutes, createMuteFinder, mutingIntervals } from '../muting/find-mutes.ts'
import type { Alerting } from '../start-alerting.ts'
import { isFiring, type StoredAlert } from '../state/stored-alert.ts'

/** An alert with what becomes of it. */
export interface AlertView {
  readonly alert: StoredAlert
  /** `suppressed` when inhibited or silenced. */
  readonly state: 'active' | 'suppressed'
  readonly inhibitedBy: readonly string[]
  readonly silencedBy: readonly string[]
  /** Names of time intervals that mute all its groups. */
  readonly mutedBy: readonly string[]
  readonly receivers: readonly string[]
}

/** The alerts of a tenant that fire now, by fingerprint. */
export function viewAlerts(alerting: Alerting, tenant: string): AlertView[] {
  const now = alerting.clock.now()
  const findMutes = muteFinder(alerting, tenant, now)
  return [...alerting.state.alerts.values()]
    .filter((alert) => alert.tenant === tenant && isFiring(alert, now))
    .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
    .map((alert) => viewOf(alerting, alert, findMutes(alert), now))
}

/** One alert as {@link viewAlerts} shows it. */
export function viewAlert(alerting: Alerting, alert: StoredAlert, nowMs: number): AlertView {
  return viewOf(alerting, alert, muteFinder(alerting, alert.tenant, nowMs)(alert), nowMs)
}

function muteFinder(alerting: Alerting, tenant: string, nowMs: number): (alert: StoredAlert) => AlertMutes {
  return createMuteFinder(alerting.state, alerting.dispatcher.config, tenant, nowMs)
}

function viewOf(alerting: Alerting, alert: StoredAlert, mutes: AlertMutes, nowMs: number): AlertView {
  const { dispatcher } = alerting
  const { config } = dispatcher
  const places = dispatcher.placesOf(alert)
  const intervals = places.map(({ route }) => mutingIntervals(config, route, nowMs))
  const isSuppressed = mutes.inhibitedBy.length > 0 || mutes.silencedBy.length > 0
  return {
    alert,
    state: isSuppressed ? 'suppressed' : 'active',
    ...mutes,
    mutedBy: intervals.every((names) => names.length > 0) ? [...new Set(intervals.flat())] : [],
    receivers: [...new Set(places.map(({ route }) => route.receiver))],
  }
}
