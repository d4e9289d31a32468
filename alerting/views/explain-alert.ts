import { labelsToRecord } from '../../model/labels.ts'
import { AppError } from '../../runtime/errors.ts'
import { mutingIntervals } from '../muting/find-mutes.ts'
import { matcherText } from '../routing/group-key.ts'
import type { Alerting } from '../start-alerting.ts'
import { type Group, ledgerOf } from '../state/group.ts'
import { alertKey, isFiring } from '../state/stored-alert.ts'
import { nanos, viewNotification } from './notification-view.ts'
import { viewAlert } from './view-alerts.ts'

/**
 * Why an alert did or did not notify: where it is routed, what mutes it, what each integration was told and when its group is looked at next.
 * Throws NOT_FOUND for an alert that alerting does not know (any more).
 */
export function explainAlert(alerting: Alerting, tenant: string, fingerprint: string): object {
  const { state, clock } = alerting
  const now = clock.now()
  const alert = state.alerts.get(alertKey(tenant, fingerprint))
  if (alert === undefined) {
    throw new AppError(
      'NOT_FOUND',
      `Cannot explain alert ${fingerprint}: alerting knows no such alert; it may have ended and been told`,
    )
  }
  const view = viewAlert(alerting, alert, now)
  return {
    fingerprint,
    labels: labelsToRecord(alert.labels),
    state: isFiring(alert, now) ? 'firing' : 'resolved',
    startsUnixNano: nanos(alert.startsAtMs),
    endsUnixNano: nanos(alert.endsAtMs),
    silencedBy: view.silencedBy,
    inhibitedBy: view.inhibitedBy,
    mutedBy: view.mutedBy,
    groups: [...state.groups.values()]
      .filter((group) => group.tenant === tenant && group.members.includes(fingerprint))
      .map((group) => explainGroup(alerting, group, fingerprint, now)),
  }
}

function explainGroup(alerting: Alerting, group: Group, fingerprint: string, nowMs: number): object {
  const { dispatcher, state } = alerting
  const { config } = dispatcher
  const alert = state.alerts.get(alertKey(group.tenant, fingerprint))
  const places = alert === undefined ? [] : dispatcher.placesOf(alert)
  const route = places.find(({ groupId }) => groupId === group.id)?.route ?? null
  const last = dispatcher.lastLookOf(group.id)
  const receiver = config.receivers.get(group.receiver)
  const integrations =
    receiver === undefined
      ? []
      : [
          ...receiver.webhooks.map((_, index) => `webhook/${index}`),
          ...receiver.emails.map((_, index) => `email/${index}`),
        ]
  return {
    groupKey: group.groupKey,
    receiver: group.receiver,
    route:
      route === null
        ? null
        : {
            matchers: route.matchers.map(matcherText),
            groupWaitNanos: nanos(route.groupWaitMs),
            groupIntervalNanos: nanos(route.groupIntervalMs),
            repeatIntervalNanos: nanos(route.repeatIntervalMs),
            mutedBy: mutingIntervals(config, route, nowMs),
          },
    nextLookUnixNano: nanos(dispatcher.dueOf(group)),
    lastLookUnixNano: last === null ? null : nanos(last.atMs),
    wasMutedAtLastLook: last?.look.muted.includes(fingerprint) ?? false,
    integrations: integrations.map((integration) => {
      const ledger = ledgerOf(group, integration)
      const pending = ledger.pending === null ? undefined : state.intents.get(ledger.pending.intentId)
      return {
        integration,
        isKnownFiring: ledger.open.includes(fingerprint),
        isOwed: ledger.owed.includes(fingerprint),
        lastToldUnixNano: ledger.told === null ? null : nanos(ledger.told.tickMs),
        lastDecision: last?.look.decisions[integration] ?? null,
        pending: pending === undefined ? null : viewNotification(pending),
      }
    }),
  }
}
