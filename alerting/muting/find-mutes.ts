import type { AlertmanagerConfig } from '../configuration/alertmanager-config.ts'
import type { Route } from '../routing/route.ts'
import type { AlertingState } from '../state/alerting-state.ts'
import { isFiring, type StoredAlert } from '../state/stored-alert.ts'
import { inhibitedBy } from './inhibited-by.ts'
import { isWithinInterval } from './is-within-interval.ts'
import { silencedBy } from './silence.ts'

/** What keeps an alert from being told. Empty lists: nothing does. */
export interface AlertMutes {
  /** Fingerprints of alerts. */
  readonly inhibitedBy: readonly string[]
  /** Ids of silences. */
  readonly silencedBy: readonly string[]
}

/** What inhibits and silences an alert. */
export function findMutes(
  state: AlertingState,
  config: Pick<AlertmanagerConfig, 'inhibitRules'>,
  alert: StoredAlert,
  nowMs: number,
): AlertMutes {
  const { tenant, labels } = alert
  const firing =
    config.inhibitRules.length === 0
      ? []
      : [...state.alerts.values()].filter(
          (other) => other.tenant === tenant && isFiring(other, nowMs) && other !== alert,
        )
  return {
    inhibitedBy: inhibitedBy(config.inhibitRules, labels, firing),
    silencedBy: silencedBy(state.silences.values(), tenant, labels, nowMs),
  }
}

/** Names of the time intervals that mute a node of the routing tree; for active intervals, all of them when none holds. */
export function mutingIntervals(
  config: Pick<AlertmanagerConfig, 'timeIntervals'>,
  route: Pick<Route, 'muteTimeIntervals' | 'activeTimeIntervals'>,
  nowMs: number,
): string[] {
  const holds = (name: string) =>
    (config.timeIntervals.get(name) ?? []).some((interval) => isWithinInterval(interval, nowMs))
  const muting = route.muteTimeIntervals.filter(holds)
  const { activeTimeIntervals: active } = route
  return active.length > 0 && !active.some(holds) ? [...muting, ...active] : muting
}
