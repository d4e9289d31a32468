import { labelsToRecord } from '../../model/labels.ts'
import { commonPairs } from '../message/template-data.ts'
import type { Notification, NotifiedAlert } from '../notifier.ts'

/** `0001-01-01T00:00:00Z`: Go's time that is not set. */
const GO_ZERO_TIME = '0001-01-01T00:00:00Z'

/**
 * The body of a webhook: Alertmanager's message of version 4, field by field in its order, and one object of ours, `mesh`, with
 * the evidence. `maxAlerts` 0 sends all; beyond it the tail is cut and counted, as Alertmanager does.
 */
export function webhookPayload(
  notification: Notification,
  maxAlerts: number,
): Readonly<Record<string, unknown>> {
  const alerts = maxAlerts > 0 ? notification.alerts.slice(0, maxAlerts) : notification.alerts
  return {
    receiver: quoteMeta(notification.receiver),
    status: notification.status,
    alerts: alerts.map(alertPayload),
    notification_reason: notification.reason,
    groupLabels: labelsToRecord(notification.groupLabels),
    commonLabels: labelsToRecord(commonPairs(alerts.map(({ labels }) => labels))),
    commonAnnotations: labelsToRecord(commonPairs(alerts.map(({ annotations }) => annotations))),
    routeLabels: labelsToRecord(notification.routeLabels),
    externalURL: notification.externalUrl,
    version: '4',
    groupKey: notification.groupKey,
    truncatedAlerts: notification.alerts.length - alerts.length,
    mesh: {
      notificationId: notification.id,
      tenant: notification.tenant,
      isLate: notification.isLate,
      evidence: notification.evidence,
    },
  }
}

function alertPayload(alert: NotifiedAlert): Readonly<Record<string, unknown>> {
  return {
    status: alert.status,
    labels: labelsToRecord(alert.labels),
    annotations: labelsToRecord(alert.annotations),
    startsAt: goTime(alert.startsAtMs),
    endsAt: alert.endsAtMs === null ? GO_ZERO_TIME : goTime(alert.endsAtMs),
    generatorURL: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  }
}

/** RFC 3339 with as many digits of the second as are not zero, as Go's RFC3339Nano. */
function goTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z')
}

/** Go's regexp.QuoteMeta: receivers see `a\.b` for `a.b`. */
function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}
