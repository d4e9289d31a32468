import type { Storage } from '../../storage/storage.ts'
import { NOTIFICATIONS } from '../../storage/tables.ts'
import type { Intent } from '../state/intent.ts'
import { type NotificationView, viewNotification } from '../views/notification-view.ts'

/** Which messages are asked for. Times epoch milliseconds. */
export interface NotificationFilter {
  readonly receiver?: string | undefined
  readonly integration?: 'webhook' | 'email' | undefined
  readonly state?: NotificationView['state'] | undefined
  /** Of an alert in the message. */
  readonly fingerprint?: string | undefined
  /** Made at or after. */
  readonly fromMs: number
  /** Made before. */
  readonly toMs: number
  readonly limit: number
}

/** The messages of the past, in ClickHouse. */
export interface NotificationHistory {
  /** Keeps a message that has ended; repeating it changes nothing. Throws what {@link Storage.command} throws. */
  save(intent: Intent, nowMs: number): Promise<void>
  /** Newest first. Throws what {@link Storage.select} throws. */
  find(tenant: string, filter: NotificationFilter, signal?: AbortSignal): Promise<readonly NotificationView[]>
}

/** Keeps and finds messages in ClickHouse. */
export function createNotificationHistory(storage: Storage): NotificationHistory {
  return {
    save: async (intent, nowMs) => {
      const { tenant, createdAtMs, receiver } = intent.notification
      const view = viewNotification(intent)
      await storage.command(SAVE, {
        tenant,
        created: createdAtMs,
        id: intent.id,
        receiver,
        integration: view.integration,
        state: view.state,
        fingerprints: view.alerts.map(({ fingerprint }) => fingerprint),
        payload: payloadOf(view),
        version: nowMs,
      })
    },
    find: async (tenant, filter, signal) => {
      const { receiver = '', integration = '', state = '', fingerprint = '' } = filter
      const rows = await storage.select<{ payload: string }>({
        name: 'alerting.notifications',
        tenant,
        sql: FIND,
        params: {
          receiver,
          integration,
          state,
          fingerprint,
          fromMs: filter.fromMs,
          toMs: filter.toMs,
          limit: filter.limit,
        },
        ...(signal === undefined ? {} : { signal }),
      })
      return rows.map(({ payload }) => JSON.parse(payload) as NotificationView)
    },
  }
}

/** Parameters travel in a URL when ClickHouse is a server, which takes one of a mebibyte at most. */
const MOST_PAYLOAD = 200_000

function payloadOf(view: NotificationView): string {
  const whole = JSON.stringify(view)
  if (whole.length <= MOST_PAYLOAD) return whole
  const alerts = view.alerts.slice(0, 10).map((alert) => ({ ...alert, annotations: {} }))
  return JSON.stringify({ ...view, alerts, attempts: view.attempts.slice(-3) })
}

const SAVE = `INSERT INTO ${NOTIFICATIONS} (tenant, created, id, receiver, integration, state, fingerprints, payload, version)
SELECT {tenant:String}, fromUnixTimestamp64Milli({created:Int64}, 'UTC'), {id:String}, {receiver:String}, {integration:String},
  {state:String}, {fingerprints:Array(String)}, {payload:String}, {version:UInt64}`

const FIND = `SELECT payload FROM ${NOTIFICATIONS} FINAL
WHERE tenant = {tenant:String}
  AND created >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC') AND created < fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
  AND ({receiver:String} = '' OR receiver = {receiver:String})
  AND ({integration:String} = '' OR integration = {integration:String})
  AND ({state:String} = '' OR state = {state:String})
  AND ({fingerprint:String} = '' OR has(fingerprints, {fingerprint:String}))
ORDER BY created DESC, id DESC
LIMIT {limit:UInt32}`
