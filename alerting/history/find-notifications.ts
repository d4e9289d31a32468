import type { Alerting } from '../start-alerting.ts'
import { type NotificationView, viewNotification } from '../views/notification-view.ts'
import { createNotificationHistory, type NotificationFilter } from './notification-history.ts'

/**
 * The messages of a tenant, newest first: those that are remembered, and those in ClickHouse. What ClickHouse has of a message that
 * is remembered is older, and passed over. Throws what the store throws.
 */
export async function findNotifications(
  alerting: Alerting,
  tenant: string,
  filter: NotificationFilter,
  signal?: AbortSignal,
): Promise<readonly NotificationView[]> {
  const known = [...alerting.state.intents.values()].filter(
    ({ notification }) => notification.tenant === tenant,
  )
  const knownIds = new Set(known.map(({ id }) => id))
  const fresh = known.filter(({ notification }) => {
    const { createdAtMs, alerts } = notification
    return (
      createdAtMs >= filter.fromMs &&
      createdAtMs < filter.toMs &&
      (filter.fingerprint === undefined ||
        alerts.some(({ fingerprint }) => fingerprint === filter.fingerprint))
    )
  })
  const views = fresh
    .map((intent) => ({ view: viewNotification(intent), createdMs: intent.notification.createdAtMs }))
    .filter(({ view }) => matches(view, filter))
    .sort((a, b) => b.createdMs - a.createdMs || (a.view.id < b.view.id ? 1 : -1))
    .map(({ view }) => view)
  const isEnough = views.length >= filter.limit
  if (isEnough || alerting.storage === null) return views.slice(0, filter.limit)
  const stored = await createNotificationHistory(alerting.storage).find(
    tenant,
    { ...filter, limit: filter.limit + known.length },
    signal,
  )
  return [...views, ...stored.filter(({ id }) => !knownIds.has(id))]
    .sort((a, b) => b.createdUnixNano.length - a.createdUnixNano.length || compareDown(a, b))
    .slice(0, filter.limit)
}

function matches(view: NotificationView, filter: NotificationFilter): boolean {
  return (
    (filter.receiver === undefined || view.receiver === filter.receiver) &&
    (filter.integration === undefined || view.integration === filter.integration) &&
    (filter.state === undefined || view.state === filter.state)
  )
}

function compareDown(a: NotificationView, b: NotificationView): number {
  if (a.createdUnixNano === b.createdUnixNano) return a.id < b.id ? 1 : -1
  return a.createdUnixNano < b.createdUnixNano ? 1 : -1
}
