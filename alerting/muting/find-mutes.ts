import type { AlertmanagerConfig } from '../configuration/alertmanager-config.ts'
import type { Route } from '../routing/route.ts'
import type { AlertingState } from '../state/alerting-state.ts'
import { isFiring, type StoredAlert } from '../state/stored-alert.ts'
import { createInhibitor } from './create-inhibitor.ts'
import { isWithinInterval } from './is-within-interval.ts'
import { silencedBy } from './silence.ts'

/** What keeps an alert from being told. Empty lists: nothing does. */
export interface AlertMutes {
  /** Fingerprints of alerts. */
  readonly inhibitedBy: readonly string[]
  /** Ids of silences. */
  readonly silencedBy: readonly string[]
}

/** Makes the function that says what inhibits and silences an alert of the tenant at `nowMs`. */
export function createMuteFinder(
  state: AlertingState,
  config: Pick<AlertmanagerConfig, 'inhibitRules'>,
  tenant: string,
  nowMs: number,
): (alert: StoredAlert) => AlertMutes {
  const inhibitedBy = createInhibitor(config.inhibitRules, () =>
    [...state.alerts.values()].filter((alert) => alert.tenant === tenant && isFiring(alert, nowMs)),
  )
  return ({ labels }) => ({
    inhibitedBy: inhibitedBy(labels),
    silencedBy: silencedBy(state.silences.values(), tenant, labels, nowMs),
  })
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
